"""Claims of the catalogue on PostgreSQL beyond the contract."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psycopg
import pytest
from sqlalchemy import event, text

from arthur.catalog import open_catalog
from arthur.catalog.database import Database
from arthur.catalog.opening import open_database
from arthur.catalog.sql import SqlCatalog
from arthur.errors import BadRequest, ConfigError, StoreError
from arthur.types import NewView, ViewId

pytestmark = pytest.mark.service("postgresql")


@pytest.fixture
def database(postgres: str) -> Iterator[Database]:
    opened = open_database(postgres)
    yield opened
    opened.close()


@pytest.fixture
def catalog(database: Database) -> SqlCatalog:
    return SqlCatalog(database)


def new(view_id: str, artist_id: str = "a") -> NewView:
    return NewView(ViewId(artist_id, "e", view_id), np.eye(4, dtype=np.float32)[0], "f", "h", "", "jpeg", 1, 1, 1)


def test_readers_do_not_wait_for_a_writer_nor_see_it(catalog: SqlCatalog, database: Database) -> None:
    catalog.put([new("1")])
    with database.writer.begin() as connection:
        connection.execute(text("DELETE FROM views"))
        assert catalog.view(ViewId("a", "e", "1")) is not None
        assert catalog.latest() == 1


def test_opening_does_not_wait_for_a_writer(catalog: SqlCatalog, database: Database, postgres: str) -> None:
    catalog.put([new("1")])
    with database.writer.begin():
        other = open_catalog(postgres)
        assert other.latest() == 1
        other.close()


def test_a_lower_number_is_never_seen_after_a_higher_one(catalog: SqlCatalog, postgres: str) -> None:
    other, done, gaps = open_catalog(postgres), threading.Event(), []

    def follow() -> None:
        since = 0
        while not done.is_set():
            changes = catalog.changes(since, 100, "f")
            gaps.extend(step for step in np.diff([since, *changes.keys.tolist()]).tolist() if step != 1)
            since = changes.upto

    with ThreadPoolExecutor(5) as threads:
        follower = threads.submit(follow)
        mine = [threads.submit(catalog.put, [new(f"{i}", "a")]) for i in range(60)]
        theirs = [threads.submit(other.put, [new(f"{i}", "b")]) for i in range(60)]
        assert sorted(put.result()[0].stored.key for put in (*mine, *theirs)) == list(range(1, 121))
        done.set()
        follower.result()
    other.close()
    assert gaps == []


def test_a_new_catalogue_may_be_opened_by_many_at_once(postgres: str) -> None:
    with ThreadPoolExecutor(6) as threads:
        opened = list(threads.map(open_catalog, [postgres] * 6))
    assert [catalog.latest() for catalog in opened] == [0] * 6
    for catalog in opened:
        catalog.close()


def test_a_writer_that_waits_too_long_is_told_so(catalog: SqlCatalog, database: Database, postgres: str) -> None:
    impatient = open_catalog(f"{postgres}%20-c%20lock_timeout%3D50ms")
    with database.writer.begin(), pytest.raises(StoreError, match="locked by another process"):
        impatient.put([new("1")])
    assert impatient.put([new("1")])[0].stored.key == 1
    impatient.close()


def test_a_statement_that_takes_too_long_is_given_up(database: Database, postgres: str) -> None:
    impatient = open_database(f"{postgres}%20-c%20statement_timeout%3D50ms")
    catalog = SqlCatalog(impatient)
    event.listen(impatient.reader, "begin", lambda connection: connection.exec_driver_sql("SELECT pg_sleep(30)"))
    with pytest.raises(StoreError, match="took too long"):
        catalog.artists(cursor=None, limit=1)
    catalog.close()


def test_text_with_a_nul_is_refused(catalog: SqlCatalog) -> None:
    with pytest.raises(BadRequest, match="cannot be stored"):
        catalog.find("a\0b")


def test_a_wrong_password_is_a_store_error_that_tells_no_secret(postgres: str) -> None:
    with pytest.raises(StoreError) as raised:
        open_catalog(postgres.replace(":private@", ":secret@"))
    assert str(raised.value) == "the catalogue's database server does not answer"


@pytest.mark.parametrize("url", ["postgresql://h/d?nonsense=1", "postgresql://[/d"])
def test_a_url_that_cannot_be_read_is_a_config_error(url: str) -> None:
    with pytest.raises(ConfigError, match="database URL"):
        open_catalog(url)


def test_a_read_only_database_says_so(catalog: SqlCatalog, postgres: str) -> None:
    catalog.put([new("1")])
    standby = open_catalog(f"{postgres}%20-c%20default_transaction_read_only%3Don")
    assert standby.latest() == 1
    with pytest.raises(StoreError, match="read-only"):
        standby.put([new("2")])
    standby.close()


def test_reads_of_one_statement_open_no_transaction(catalog: SqlCatalog, database: Database) -> None:
    said: list[str] = []
    event.listen(database.asker, "before_cursor_execute", lambda *given: said.append(given[2]))
    catalog.views(np.array([1]))
    assert [statement.split()[0] for statement in said] == ["SELECT"]


def test_threads_that_ask_at_once_share_answers_that_are_not_stale(catalog: SqlCatalog) -> None:
    def put_and_ask(number: int) -> bool:
        return catalog.put([new(f"{number}")])[0].stored.key <= catalog.latest()

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(put_and_ask, range(100)))


def test_a_user_who_may_only_read_is_told_so(catalog: SqlCatalog, postgres: str) -> None:
    catalog.put([new("1")])
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS visitor")
        connection.execute("CREATE ROLE visitor LOGIN PASSWORD 'visitor'")
        connection.execute("DO $$ BEGIN EXECUTE 'GRANT USAGE ON SCHEMA ' || current_schema() || ' TO visitor'; END $$")
        connection.execute(
            "DO $$ BEGIN EXECUTE 'GRANT SELECT ON ALL TABLES IN SCHEMA ' || current_schema() || ' TO visitor'; END $$"
        )
    visitor = open_catalog(postgres.replace("arthur:private", "visitor:visitor"))
    assert visitor.latest() == 1
    with pytest.raises(StoreError, match="does not permit"):
        visitor.put([new("2")])
    visitor.close()
