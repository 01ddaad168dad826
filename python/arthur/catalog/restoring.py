"""A database that is being restored: no catalogue to anybody else until that has ended."""

from __future__ import annotations

from sqlalchemy import insert, inspect, select, update

from arthur.catalog.database import Database
from arthur.catalog.faults import store_errors
from arthur.catalog.migrate import UNFINISHED, VERSION, migrate, revision
from arthur.catalog.moving import IDENTITY
from arthur.catalog.schema import HEAD, notes
from arthur.errors import Conflict

__all__ = ["begin_restore", "end_restore", "restored_by"]


def restored_by(database: Database) -> str | None:
    """Return the name of the unfinished restore that a database holds; None for an empty database.

    Raises:
        Conflict: it holds a catalogue.
        ConfigError: it holds tables of another program.
        StoreError: it does not answer.
    """
    with store_errors(), database.reader.begin() as connection:
        if inspect(connection).has_table(VERSION.name):
            version = str(connection.scalar(select(VERSION)) or "")
            if version.startswith(UNFINISHED):
                return version.removeprefix(UNFINISHED)
        if revision(connection) is not None:
            raise Conflict("the database holds a catalogue already: name an empty one")
        return None


def begin_restore(database: Database, name: str) -> None:
    """Make the schema of an empty database, or go on with a restore of that name, of 16 characters at most.

    Raises:
        Conflict: it holds a catalogue, or another restore.
        ConfigError: it holds tables of another program.
        StoreError: it does not answer, or cannot be written to.
    """
    held = f"{HEAD}-{name}"
    known = restored_by(database)
    if known is None:
        with store_errors(), database.writer.begin() as connection:
            migrate(connection)
            connection.execute(update(VERSION).values(version_num=UNFINISHED + held))
    elif known != held:
        raise Conflict("the database holds an unfinished restore of another backup: name an empty one")


def end_restore(database: Database, *, identity: str) -> None:
    """Make a restored database a catalogue of that identity.

    The identity is a new one: the catalogue that was backed up goes on counting the same sequence with other changes,
    and neither indices nor caches may take one for the other.

    Raises:
        StoreError: it does not answer, or cannot be written to.
    """
    with store_errors(), database.writer.begin() as connection:
        known = update(notes).where(notes.c.name == IDENTITY).values(value=identity)
        if connection.execute(known).rowcount == 0:
            connection.execute(insert(notes).values(name=IDENTITY, value=identity))
        connection.execute(update(VERSION).values(version_num=HEAD))
