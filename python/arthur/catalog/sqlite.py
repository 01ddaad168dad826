"""Everything that is particular to SQLite: how it is opened, locked and asked for its newest commit."""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from pathlib import Path
from threading import Event

from sqlalchemy import URL, Connection, Table, create_engine, event, func, select, text
from sqlalchemy.pool import ConnectionPoolEntry

from arthur.catalog.database import Database, State
from arthur.catalog.schema import state
from arthur.errors import ConfigError
from arthur.types import Counts

__all__ = ["open_sqlite"]

_BUSY_TIMEOUT_MS = 10_000
_ASK_AGAIN_S = 0.005
_LOOK_S = 0.05
_POOL_SIZE = 8
_POOL_OVERFLOW = 56
# After a burst the write-ahead log is cut back to this many bytes.
_JOURNAL_LIMIT = 64 * 2**20
_BEGIN = "arthur_begin"


class StateWatch:
    """See StateSource. Takes microseconds: the row is read again only when another connection committed.

    Each call borrows a connection of its own, as `PRAGMA data_version` counts what *other* connections
    committed. These connections never write, so every commit is another's, be it of this process or not.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: deque[_Watcher] = deque()

    def __call__(self) -> State:
        """See StateSource.__call__."""
        try:
            watcher = self._idle.pop()
        except IndexError:
            watcher = _Watcher(self._path)
        try:
            newest = watcher.state()
        except BaseException:
            watcher.close()
            raise
        self._idle.append(watcher)
        return newest

    def wait(self, since: int, timeout_s: float, given_up: Event) -> State:
        """See StateSource.wait. Looks twenty times a second, as SQLite tells nobody."""
        end = time.monotonic() + timeout_s
        newest = self()
        while newest.sequence == since and (left := end - time.monotonic()) > 0:
            if given_up.wait(min(_LOOK_S, left)):
                break
            newest = self()
        return newest

    def close(self) -> None:
        """See StateSource.close."""
        while self._idle:
            self._idle.pop().close()


class _Watcher:
    """One connection, and the state it last saw."""

    _QUERY = str(select(state.c.sequence, state.c.artists, state.c.entries, state.c.views, state.c.engine))

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
        self._version = -1
        self._state = State(0, Counts(0, 0, 0), "")

    def state(self) -> State:
        # The version is read first: a commit between the two reads is then seen again, never missed.
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            sequence, artists, entries, views, engine = self._connection.execute(self._QUERY).fetchone()
            self._state = State(sequence, Counts(artists, entries, views), engine)
            self._version = version
        return self._state

    def close(self) -> None:
        self._connection.close()


def open_sqlite(path: Path) -> Database:
    """Open a database file, made if missing, with write-ahead log and every commit synced to the disk.

    Raises:
        ConfigError: the folder cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"the catalogue's folder {path.parent} cannot be made: {error.strerror}") from error
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"isolation_level": None, "check_same_thread": False},
        pool_size=_POOL_SIZE,
        max_overflow=_POOL_OVERFLOW,
        pool_timeout=_BUSY_TIMEOUT_MS / 1000,
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return Database(
        reader=engine.execution_options(**{_BEGIN: "BEGIN"}),
        writer=(writer := engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})),
        queue=writer,
        asker=engine,
        state=StateWatch(path),
        numbering=_Numbering(),
    )


class _Numbering:
    """See Numbering. Only tables with AUTOINCREMENT remember; others go on behind the rows that they have."""

    def newest(self, connection: Connection, table: Table) -> int:
        """See Numbering.newest."""
        if _remembers(table):
            query = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
            return int(connection.scalar(query, {"name": table.name}) or 0)
        return int(connection.scalar(select(func.max(*table.primary_key))) or 0)

    def skip(self, connection: Connection, table: Table, newest: int) -> None:
        """See Numbering.skip."""
        if _remembers(table):
            named = {"name": table.name, "newest": max(newest, self.newest(connection, table))}
            connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), named)
            connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :newest)"), named)


def _remembers(table: Table) -> bool:
    return bool(table.dialect_options["sqlite"]["autoincrement"])


def _prepare(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA journal_size_limit = {_JOURNAL_LIMIT}")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch the file to write-ahead log, also while others do the same.

    SQLite does not wait when two connections make this change at once, since each holds what the other needs: one of
    them is told at once that the file is busy, and has to ask again.
    """
    patience = time.monotonic() + _BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > patience:
                raise
            time.sleep(_ASK_AGAIN_S)
        else:
            return


def _begin(connection: Connection) -> None:
    # The driver is told not to begin transactions itself (isolation_level None): it would begin too late and
    # never for reading.
    if statement := connection.get_execution_options().get(_BEGIN):
        connection.exec_driver_sql(statement)
