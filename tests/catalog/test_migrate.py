"""Claims of the migrations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from arthur.catalog import migrate as migrations
from arthur.catalog import open_catalog
from arthur.catalog.database import Database
from arthur.catalog.migrate import migrate, revision
from arthur.catalog.opening import open_database
from arthur.catalog.schema import HEAD, metadata
from arthur.errors import ConfigError
from arthur.types import NewView, ViewId


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.service("postgresql"))])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres"))
    return f"sqlite:///{tmp_path}/catalog.db"


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = open_database(url)
    yield opened
    opened.close()


def test_the_head_is_the_newest_script() -> None:
    scripts = ScriptDirectory(str(Path(migrations.__file__).with_name("migrations")))
    assert scripts.get_heads() == [HEAD]


def test_the_scripts_make_the_schema_of_the_code(database: Database) -> None:
    with database.writer.begin() as connection:
        migrate(connection)
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert revision(connection) == HEAD


def test_migrating_back_leaves_nothing_and_forward_works_again(database: Database) -> None:
    with database.writer.begin() as connection:
        migrate(connection)
        migrate(connection, "base")
        assert revision(connection) is None
        assert inspect(connection).get_table_names() == ["alembic_version"]
        migrate(connection)
        assert revision(connection) == HEAD


def test_a_migration_is_all_or_nothing(database: Database) -> None:
    with database.writer.connect() as connection:
        migrate(connection)
        connection.rollback()
    with database.reader.begin() as connection:
        assert inspect(connection).get_table_names() == []


def test_a_catalogue_of_a_newer_arthur_is_refused(url: str, database: Database) -> None:
    open_catalog(url).close()
    with database.writer.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError, match=rf"newer Arthur \(schema 9999\); this one knows schemas up to {HEAD}"):
        open_catalog(url)


def test_a_database_of_another_program_is_refused(url: str, database: Database) -> None:
    with database.writer.begin() as connection:
        connection.execute(text("CREATE TABLE customers (id INTEGER)"))
    with pytest.raises(ConfigError, match="not an Arthur catalogue: it holds customers"):
        open_catalog(url)
    with database.reader.begin() as connection:
        assert inspect(connection).get_table_names() == ["customers"]


def test_a_catalogue_of_before_takes_the_engine_of_most_views(url: str, database: Database) -> None:
    with closing(open_catalog(url)) as catalog:
        views = [ViewId("a", "e", name) for name in "vw"]
        catalog.put([NewView(view, np.eye(3, dtype=np.float32)[0], "f", "", "", "jpeg", 1, 1, 1) for view in views])
        catalog.put_vectors(np.array([2]), np.eye(1, 4, dtype=np.float32), "g")
        assert database.state().engine == "f"
    with database.writer.begin() as connection:
        migrate(connection, "0003")
    open_catalog(url).close()
    assert database.state().engine == "f"
