"""A new catalogue may be opened by many at once, as the workers of a server do on the first start."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from sqlalchemy import event

from arthur.catalog.sqlite import open_sqlite

ROUNDS, OPENERS = 60, 4


def test_many_connections_make_one_file(tmp_path: Path) -> None:
    together = Barrier(OPENERS)

    def write(path: Path) -> None:
        database = open_sqlite(path)
        event.listen(database.reader, "connect", lambda *_: together.wait(), insert=True)
        with database.writer.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS one (a)")
        database.close()

    with ThreadPoolExecutor(OPENERS) as pool:
        for number in range(ROUNDS):
            list(pool.map(write, [tmp_path / f"{number}.db"] * OPENERS))
