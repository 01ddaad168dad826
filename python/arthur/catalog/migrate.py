"""Brings a database to the schema this version of Arthur knows, by the Alembic scripts in the package."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, column, inspect, select, table

from arthur.catalog.database import Database
from arthur.catalog.schema import HEAD, metadata
from arthur.errors import ConfigError

__all__ = ["UNFINISHED", "VERSION", "bring_up_to_date", "migrate", "revision"]

_VERSION_TABLE = "alembic_version"
VERSION = table(_VERSION_TABLE, column("version_num"))
"""The one row in which Alembic keeps the schema's revision."""
UNFINISHED = "restoring-"
"""How the revision of a database begins that is being restored: to whoever opens it, it is no catalogue yet."""
_SCRIPTS = Path(__file__).with_name("migrations")


def migrate(connection: Connection, target: str = HEAD) -> None:
    """Bring the schema to revision `target` ("base" drops it), within the connection's open transaction.

    Raises:
        ConfigError: the database is of a newer Arthur, or of another program.
    """
    current = revision(connection)
    if current == target:
        return
    # Imported here: Alembic takes longer to load than a catalogue takes to open.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    known = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    if current is not None and current not in known:
        message = f"the catalogue was written by a newer Arthur (schema {current}); this one knows schemas up to {HEAD}"
        raise ConfigError(message)
    # Newest first, as Alembic walks: a target at or before the current one is behind it.
    backwards = current is not None and (target == "base" or known.index(target) > known.index(current))
    (command.downgrade if backwards else command.upgrade)(config, target)


def bring_up_to_date(database: Database) -> None:
    """Bring a database's schema to HEAD.

    Raises:
        ConfigError: see migrate.
    """
    # Looked at first, so that opening an up-to-date catalogue never waits for a writer.
    with database.reader.begin() as connection:
        current = revision(connection)
    if current != HEAD:
        with database.writer.begin() as connection:
            migrate(connection)


def revision(connection: Connection) -> str | None:
    """Return the schema's revision, None for an empty database.

    Raises:
        ConfigError: the database holds tables of another program, or a restore that was never finished.
    """
    names = set(inspect(connection).get_table_names())
    if _VERSION_TABLE in names:
        version = connection.scalar(select(VERSION))
        if str(version).startswith(UNFINISHED):
            raise ConfigError("the database holds a restore that was never finished: run `arthur restore` again")
        return None if version is None else str(version)
    if names:
        strangers = ", ".join(sorted(names - set(metadata.tables))[:3]) or "no schema version"
        raise ConfigError(f"the database is not an Arthur catalogue: it holds {strangers}")
    return None
