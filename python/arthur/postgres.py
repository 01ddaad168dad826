"""Connections to PostgreSQL on which nothing waits for ever."""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import psycopg
import structlog
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict

from arthur.errors import ConfigError

__all__ = ["LIBPQ", "BinaryCursor", "Connector", "PatientConnection", "is_cut_off", "parameters"]

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")

LIBPQ = {
    "connect_timeout": "3",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
    "fallback_application_name": "arthur",
}
"""Parameters of connections, unless the URL says otherwise."""
TIMEOUTS = {"statement_timeout": "30s", "lock_timeout": "10s", "idle_in_transaction_session_timeout": "120s"}
"""After these the server itself gives up."""
_WAKE_S = 0.1
_REST_S = 0.25
_LOOKS = 8


def parameters(url: str, **settings: str) -> dict[str, Any]:
    """Return libpq's parameters for a `postgresql://` URL, with further `settings` of the session.

    Raises:
        ConfigError: the URL cannot be read.
    """
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise ConfigError("the database URL cannot be read: postgresql://USER:PASSWORD@HOST:PORT/DATABASE") from error
    # The last of two options counts.
    ours = " ".join(f"-c {name}={value}" for name, value in {**TIMEOUTS, **settings}.items())
    return {**LIBPQ, **given, "options": f"{ours} {given.get('options', '')}"}


class BinaryCursor(psycopg.Cursor[Any]):
    """Fetches bytes as they are, not as text of twice the length."""

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401  # whatever the driver gives
        super().__init__(*given, **named)
        self.format = psycopg.pq.Format.BINARY


class PatientConnection(psycopg.Connection[Any]):
    """Gives up on a server that neither answers nor closes, as one that is frozen or cut off does. Then it is closed.

    The server's own timeouts cannot help there, and those of TCP see a machine that acknowledges every byte.
    """

    patience_s = 45.0

    def wait(self, gen: PQGen[Answer], interval: float = _WAKE_S, timeout: float | None = None) -> Answer:
        """See psycopg.Connection.wait, to which a limit is added."""
        try:
            return super().wait(gen, interval, self.patience_s if timeout is None else timeout)
        except psycopg.OperationalError as error:
            # Errors that the server sent have a state; without one the connection is in an unknown one.
            if error.sqlstate is None:
                self.close()
            raise


class Connector:
    """Connects. After a failure it refuses for as long as that took, so that nobody queues up before a dead server.

    Callable from any thread.
    """

    def __init__(
        self,
        parameters: Mapping[str, Any],
        *,
        patience_s: float,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep libpq's connection parameters; answers are waited for no longer than `patience_s`."""
        self._parameters = dict(parameters)
        self._patience_s = patience_s
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._closed_until_s = 0.0
        self._failing = False

    def __call__(self) -> PatientConnection:
        """Return a new connection, on which every statement is its own transaction until one is begun.

        Raises:
            psycopg.OperationalError: the server cannot be reached or refuses.
        """
        with self._lock:
            if self._clock_s() < self._closed_until_s:
                raise psycopg.OperationalError("the server could not be reached a moment ago")
        begin_s = self._clock_s()
        try:
            connection = PatientConnection.connect(autocommit=True, cursor_factory=BinaryCursor, **self._parameters)
        except psycopg.OperationalError as error:
            self._failed(error, self._clock_s() - begin_s)
            raise
        connection.patience_s = self._patience_s
        with self._lock:
            self._failing = False
        return connection

    def _failed(self, error: psycopg.OperationalError, waited_s: float) -> None:
        with self._lock:
            self._closed_until_s = self._clock_s() + max(_REST_S, waited_s)
            first, self._failing = not self._failing, True
        if first:
            log.error("catalogue_unreachable", reason=str(error))


def is_cut_off(connection: psycopg.Connection[Any]) -> bool:
    """Return whether the other end has closed an idle connection. Takes microseconds and asks the server nothing."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    for _ in range(_LOOKS):
        if not poll.poll(0):
            return False
        # There is something to read though nothing was asked: a note of the server, or the end.
        try:
            connection.pgconn.consume_input()
        except psycopg.OperationalError:
            connection.close()
            return True
    return True
