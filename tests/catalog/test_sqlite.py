"""Claims of the catalogue on SQLite beyond the contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import event, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from arthur.catalog import open_catalog
from arthur.catalog.database import Database
from arthur.catalog.reading import changes
from arthur.catalog.schema import metadata
from arthur.catalog.sql import SqlCatalog
from arthur.catalog.sqlite import open_sqlite
from arthur.errors import ConfigError
from arthur.types import NewView, ViewId


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_sqlite(tmp_path / "catalog.db")
    yield opened
    opened.close()


@pytest.fixture
def catalog(database: Database) -> SqlCatalog:
    return SqlCatalog(database, clock_ns=lambda: 1_000)


def new(view_id: str) -> NewView:
    return NewView(ViewId("a", "e", view_id), np.eye(4, dtype=np.float32)[0], "f", "h", "", "jpeg", 1, 1, 1)


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 10_000)]
)
def test_connections_are_durable_and_patient(database: Database, pragma: str, value: object) -> None:
    with database.reader.begin() as connection:
        assert connection.scalar(text(f"PRAGMA {pragma}")) == value


def test_readers_do_not_wait_for_a_writer_nor_see_it(catalog: SqlCatalog, database: Database) -> None:
    catalog.put([new("1")])
    with database.writer.begin() as connection:
        connection.execute(text("DELETE FROM embeddings"))
        connection.execute(text("DELETE FROM views"))
        assert catalog.view(ViewId("a", "e", "1")) is not None
        assert catalog.latest() == 1


def test_opening_does_not_wait_for_a_writer(catalog: SqlCatalog, database: Database, tmp_path: Path) -> None:
    catalog.put([new("1")])
    with database.writer.begin():
        other = open_catalog(f"sqlite:///{tmp_path}/catalog.db")
        assert other.latest() == 1
        other.close()


def test_a_reader_sees_one_snapshot(catalog: SqlCatalog, database: Database) -> None:
    catalog.put([new("1")])
    with database.reader.begin() as connection:
        before = changes(connection, 0, 10, "f")
        catalog.put([new("2")])
        assert changes(connection, 0, 10, "f").upto == before.upto == 1


def test_a_put_is_all_or_nothing(catalog: SqlCatalog, database: Database) -> None:
    catalog.put([new("1")])
    with database.writer.begin() as connection:
        connection.execute(text("CREATE TRIGGER fault BEFORE INSERT ON embeddings BEGIN SELECT RAISE(ABORT, 'x'); END"))
    with pytest.raises(Exception, match="catalogue's database failed"):
        catalog.put([new("1"), new("2")])
    assert (catalog.latest(), catalog.counts().views) == (1, 1)
    assert catalog.vectors(np.array([1]), "f").get(1) is not None


def test_a_removed_view_leaves_no_vector(catalog: SqlCatalog, database: Database) -> None:
    catalog.put([new("1"), new("1"), new("2")])
    catalog.remove("a")
    with database.reader.begin() as connection:
        tables = ("views", "embeddings", "entries", "artists")
        assert [connection.scalar(text(f"SELECT count(*) FROM {table}")) for table in tables] == [0, 0, 0, 0]


def test_times_are_those_of_the_clock(catalog: SqlCatalog) -> None:
    (put,) = catalog.put([new("1")])
    assert put.stored.created_at.isoformat() == "1970-01-01T00:00:00.000001+00:00"


def test_no_query_scans_a_whole_table(catalog: SqlCatalog, database: Database) -> None:
    plans: list[str] = []

    @event.listens_for(database.reader, "before_cursor_execute")
    def explain(_connection: object, cursor: object, statement: str, parameters: object, *_: object) -> None:
        if statement.startswith("SELECT"):
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)  # type: ignore[attr-defined]  # sqlite3's
            plans.extend(row[3] for row in cursor.fetchall())  # type: ignore[attr-defined]  # sqlite3's

    catalog.put([new("1"), new("1"), new("2")])
    catalog.view(ViewId("a", "e", "1"))
    catalog.find("x")
    catalog.views(np.array([2, 3]))
    catalog.changes(1, 10, "f")
    catalog.artist_numbers(["a"])
    cursor = catalog.views_of("a", None, cursor=None, limit=1).next_cursor
    catalog.views_of("a", None, cursor=cursor, limit=1)
    catalog.views_of("a", "e", cursor=None, limit=1)
    catalog.entries("a", cursor=None, limit=1)
    catalog.artists(cursor=None, limit=1)
    catalog.remove("a", "e", "1")
    assert "SEARCH views USING INTEGER PRIMARY KEY (rowid>?)" in plans
    whole = {plan for plan in plans if plan.startswith("SCAN") and "CONSTANT ROW" not in plan}
    assert whole == {"SCAN state", "SCAN artists USING COVERING INDEX sqlite_autoindex_artists_1"}
    assert {plan for plan in plans if "TEMP B-TREE" in plan} == set()


def test_the_schema_can_be_spoken_to_postgresql() -> None:
    ddl = "".join(str(CreateTable(table).compile(dialect=postgresql.dialect())) for table in metadata.sorted_tables)
    assert 'artist_id TEXT COLLATE "C" NOT NULL' in ddl
    assert "key BIGINT NOT NULL" in ddl


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigError, match="cannot be made"):
        open_sqlite(tmp_path / "file" / "catalog.db")
