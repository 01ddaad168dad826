"""A full disk, a damaged or foreign file, a read-only one: a clear sentence, and nothing gets lost."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from arthur.catalog import open_catalog
from arthur.catalog.faults import store_errors
from arthur.catalog.sql import SqlCatalog
from arthur.catalog.sqlite import open_sqlite
from arthur.errors import ArthurError, StoreError
from arthur.types import NewView, ViewId

FILLER = Path(__file__).with_name("catalog_filler.py")


def new(view_id: int, dim: int = 4000) -> NewView:
    vector = np.zeros(dim, np.float32)
    vector[view_id] = 1
    return NewView(ViewId("a", "e", str(view_id)), vector, "f", "h", "", "jpeg", 1, 1, 1)


def integrity(path: Path) -> str:
    connection = sqlite3.connect(path)
    (answer,) = connection.execute("PRAGMA integrity_check").fetchone()
    connection.close()
    return str(answer)


def test_a_full_disk_is_a_store_error_and_it_works_again_afterwards(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/catalog.db"
    filled = subprocess.run([sys.executable, str(FILLER), url], capture_output=True, text=True, check=True)
    *answered, refused = filled.stdout.splitlines()
    assert refused in (
        "StoreError: the catalogue cannot grow: the disk is full",
        "StoreError: the catalogue could not be read or written: the disk reports an error or is full",
    )
    assert integrity(tmp_path / "catalog.db") == "ok"
    catalog = open_catalog(url)
    assert set(catalog.views(np.array([int(key) for key in answered]))) == {int(key) for key in answered}
    assert catalog.put([new(1, 8)])[0].stored.key == catalog.latest() == len(answered) + 1
    catalog.close()


def test_a_full_database_refuses_the_whole_put_and_goes_on(tmp_path: Path) -> None:
    database = open_sqlite(tmp_path / "catalog.db")
    catalog = SqlCatalog(database)
    catalog.put([new(0)])
    # The pool has one connection so far, which the next put takes again.
    with database.reader.connect() as connection:
        connection.execute(text("PRAGMA max_page_count = 60"))
    with pytest.raises(StoreError, match="the disk is full"):
        catalog.put([new(i) for i in range(1, 50)])
    assert catalog.counts().views == catalog.latest() == 1
    assert catalog.put([new(1)])[0].stored.key == 2
    catalog.close()


@pytest.mark.parametrize("size", [100, 5000])
def test_a_file_of_garbage_is_refused_at_opening(tmp_path: Path, size: int) -> None:
    garbage = np.random.default_rng(size).bytes(size)
    (tmp_path / "catalog.db").write_bytes(garbage)
    with pytest.raises(StoreError, match="not a SQLite database"):
        open_catalog(f"sqlite:///{tmp_path}/catalog.db")
    assert (tmp_path / "catalog.db").read_bytes() == garbage


def test_a_damaged_file_is_an_error_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    catalog = open_catalog(f"sqlite:///{path}")
    catalog.put([new(i, 500) for i in range(100)])
    catalog.close()
    pages = bytearray(path.read_bytes())
    pages[4096:] = np.random.default_rng(0).bytes(len(pages) - 4096)
    path.write_bytes(pages)
    with pytest.raises(ArthurError, match="damaged"):
        open_catalog(f"sqlite:///{path}").changes(0, 1000, "f")


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        open_catalog(f"sqlite:///{tmp_path}")


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (sqlite3.SQLITE_READONLY_DIRECTORY, "read-only"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "locked by another process"),
        (sqlite3.SQLITE_IOERR_FSYNC, "disk reports an error"),
        (sqlite3.SQLITE_INTERNAL, "database failed"),
    ],
)
def test_each_fault_has_its_sentence(code: int, sentence: str) -> None:
    error = sqlite3.OperationalError("a path that clients must not see")
    error.sqlite_errorcode = code
    with pytest.raises(StoreError, match=sentence), store_errors():
        raise error
