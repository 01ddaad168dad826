"""Hears PostgreSQL tell of changes."""

from __future__ import annotations

import threading
from time import monotonic

import psycopg
from psycopg import sql

from arthur.postgres import Connector, PatientConnection

__all__ = ["Listener"]

_CHANNEL = "SELECT 'arthur_' || left(md5(current_schema()), 16)"
"""As migration 0006 names it."""
_LOOK_S = 0.1


class Listener:
    """A connection that listens, made when first needed. Callable from any thread; one waits at a time."""

    def __init__(self, connect: Connector) -> None:
        self._connect = connect
        self._turn = threading.Lock()
        self._connection: PatientConnection | None = None

    def wait(self, timeout_s: float, given_up: threading.Event) -> None:
        """Return when a change was told of, after `timeout_s`, or when it is `given_up`.

        It returns at once when it has only now begun to listen.

        Raises:
            psycopg.Error: the server does not answer, or has closed the connection; the next call makes a new one.
        """
        with self._turn:
            if self._connection is None or self._connection.closed:
                self._connection = self._listening()
                return
            connection, end = self._connection, monotonic() + timeout_s
            while not given_up.is_set() and (left := end - monotonic()) > 0:
                for _ in connection.notifies(timeout=min(_LOOK_S, left), stop_after=1):
                    return

    def close(self) -> None:
        """Stop listening; a call that waits ends with an error."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _listening(self) -> PatientConnection:
        connection = self._connect()
        row = connection.execute(_CHANNEL).fetchone()
        if row is None:
            raise psycopg.OperationalError("the server told no channel")
        connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(row[0])))
        return connection
