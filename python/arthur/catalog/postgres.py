"""Everything that is particular to PostgreSQL: how it is opened, locked and asked for its newest commit."""

from __future__ import annotations

import threading
import time
from typing import Any

import psycopg
from sqlalchemy import Connection, Table, create_engine, event, func, select, text
from sqlalchemy.exc import DisconnectionError

from arthur.catalog.database import Database, State
from arthur.catalog.faults import store_error
from arthur.catalog.listening import Listener
from arthur.catalog.schema import state
from arthur.errors import StoreError
from arthur.postgres import BinaryCursor, Connector, is_cut_off, parameters
from arthur.types import Counts

__all__ = ["open_postgres"]

_POOL_SIZE = 8
_POOL_OVERFLOW = 8
_POOL_PATIENCE_S = 10.0
# The server gives up its statements earlier; this is for one that is frozen. `latest` is asked before every match, and
# is nothing to wait for.
_PATIENCE_S = 45.0
_STATE_PATIENCE_S = 5.0
_ASK_ANYHOW_S = 1.0
_BEGIN = "arthur_begin"
_QUEUE = ("BEGIN ISOLATION LEVEL READ COMMITTED",)
_READ = ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",)
# Whoever has this lock is the only writer, of all processes, from before its first look until after its commit. So
# numbers of the sequence become visible in their order, and a schema is made by one process.
_WRITE = (
    "BEGIN ISOLATION LEVEL READ COMMITTED",
    "SELECT pg_advisory_xact_lock(hashtext('arthur'), hashtext(current_schema()))",
)


def open_postgres(url: str) -> Database:
    """Open the database at a `postgresql://` URL, which libpq reads: several hosts, TLS, a service file.

    Nothing is connected yet. Parameters of the URL go before those set here.

    Raises:
        ConfigError: the URL cannot be read.
    """
    connector = Connector(parameters(url), patience_s=_PATIENCE_S)
    engine = create_engine(
        "postgresql+psycopg://",
        creator=connector,
        pool_size=_POOL_SIZE,
        max_overflow=_POOL_OVERFLOW,
        pool_timeout=_POOL_PATIENCE_S,
        pool_use_lifo=True,
        use_native_hstore=False,
    )
    event.listen(engine, "checkout", _check)
    event.listen(engine, "begin", _begin)
    return Database(
        reader=engine.execution_options(**{_BEGIN: _READ}),
        writer=engine.execution_options(**{_BEGIN: _WRITE}),
        queue=engine.execution_options(**{_BEGIN: _QUEUE}),
        asker=engine,
        state=StateQuestion(Connector(parameters(url), patience_s=_STATE_PATIENCE_S)),
        numbering=_Numbering(),
    )


class StateQuestion:
    """See StateSource. Takes one round trip to the server, shared by all threads that ask meanwhile.

    It is asked every time, though the server also tells of commits by NOTIFY: that may come later than the answer to
    the write, and a match that follows the write has to see it.
    """

    _QUERY = str(select(state.c.sequence, state.c.artists, state.c.entries, state.c.views, state.c.engine))

    def __init__(self, connect: Connector) -> None:
        self._connect = connect
        self._listener = Listener(connect)
        self._turn = threading.Lock()
        self._connection: psycopg.Connection[Any] | None = None
        self._begun = 0
        self._answer: State | psycopg.Error = State(0, Counts(0, 0, 0), "")

    def __call__(self) -> State:
        """See StateSource.__call__."""
        begun = self._begun
        with self._turn:
            # A question that began after this call did, while it waited for its turn, has its answer, or its failure.
            if self._begun == begun:
                self._begun += 1
                self._answer = self._asked()
            answer = self._answer
        if isinstance(answer, psycopg.Error):
            raise store_error(answer) from answer
        return answer

    def wait(self, since: int, timeout_s: float, given_up: threading.Event) -> State:
        """See StateSource.wait. PostgreSQL tells of changes; it is asked now and then all the same.

        A pooler that hands out connections by the transaction lets nobody listen.
        """
        end = time.monotonic() + timeout_s
        newest = self()
        while newest.sequence == since and (left := end - time.monotonic()) > 0:
            try:
                self._listener.wait(min(_ASK_ANYHOW_S, left), given_up)
            except psycopg.Error as error:
                raise store_error(error) from error
            if given_up.is_set():
                break
            newest = self()
        return newest

    def close(self) -> None:
        """See StateSource.close."""
        self._listener.close()
        with self._turn:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _asked(self) -> State | psycopg.Error:
        try:
            return self._state()
        except psycopg.Error as error:
            return error

    def _state(self) -> State:
        if self._connection is not None and is_cut_off(self._connection):
            self._connection.close()
            self._connection = None
        if self._connection is None:
            self._connection = self._connect()
        row = self._connection.execute(self._QUERY).fetchone()
        if row is None:
            raise StoreError("the catalogue's table of states is empty: restore it from a backup")
        sequence, artists, entries, views, engine = row
        return State(sequence, Counts(artists, entries, views), engine)


class _Numbering:
    """See Numbering: a sequence of PostgreSQL each."""

    def newest(self, connection: Connection, table: Table) -> int:
        """See Numbering.newest."""
        query = text(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {_sequence(connection, table)}")  # noqa: S608  # named by PostgreSQL itself
        return int(connection.scalar(query) or 0)

    def skip(self, connection: Connection, table: Table, newest: int) -> None:
        """See Numbering.skip."""
        taken = connection.scalar(select(func.max(*table.primary_key))) or 0
        newest = max(newest, int(taken), self.newest(connection, table))
        connection.execute(select(func.setval(_sequence(connection, table), max(newest, 1), newest > 0)))


def _sequence(connection: Connection, table: Table) -> str:
    (number,) = table.primary_key
    return str(connection.scalar(select(func.pg_get_serial_sequence(table.name, number.name))))


def _check(connection: psycopg.Connection[Any], _record: object, _proxy: object) -> None:
    """Have a pooled connection replaced that the server has closed meanwhile."""
    if is_cut_off(connection):
        raise DisconnectionError


def _begin(connection: Connection) -> None:
    # The driver is told not to begin transactions itself (autocommit): reads of one statement need none, which
    # spares them two round trips.
    statements = connection.get_execution_options().get(_BEGIN, ())
    driver = connection.connection.driver_connection
    if driver is not None:
        # Our own tables are read as bytes; SQLAlchemy reads as text the server's, which makers of schemas look at.
        driver.cursor_factory = psycopg.Cursor if statements is _WRITE else BinaryCursor
    for statement in statements:
        connection.exec_driver_sql(statement)
