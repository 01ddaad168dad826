"""One embedding service as its client sees it: kept connections, and one exchange over them."""

from __future__ import annotations

from collections import deque
from threading import Lock

from arthur.encode.address import Address
from arthur.encode.connection import Answer, Ask, Connection

_CONNECT_S = 1.0
_IDLE_MAX = 64


class Exchange:
    """A request that was sent and whose answer is awaited. Belongs to one thread."""

    def __init__(self, endpoint: Endpoint, connection: Connection) -> None:
        self.endpoint = endpoint
        self._connection = connection

    def fileno(self) -> int:
        """Return the socket's descriptor, which can be read from when the answer has begun to arrive."""
        return self._connection.fileno()

    def answer(self, timeout_s: float) -> Answer:
        """Read the answer, and keep the connection for the next request.

        Raises:
            Lost: see Connection.answer.
        """
        answer = self._connection.answer(timeout_s)
        if answer.is_last:
            self._connection.close()
        else:
            self.endpoint.keep(self._connection)
        return answer

    def abandon(self) -> None:
        """Close the connection, which tells the service that nobody waits any more."""
        self._connection.close()


class Endpoint:
    """A service and the connections kept to it. Callable from any thread."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._lock = Lock()
        self._idle: deque[Connection] = deque()
        self._closed = False

    def send(self, ask: Ask, *, timeout_s: float) -> Exchange:
        """Send a request over a kept connection or a new one; each step of it may take `timeout_s` at most.

        Raises:
            Unreached: no connection can be made.
            Lost: it broke off while the request was sent.
        """
        connection = self._kept() or Connection(self.address, timeout_s=min(timeout_s, _CONNECT_S))
        connection.send(ask, timeout_s=timeout_s)
        return Exchange(self, connection)

    def keep(self, connection: Connection) -> None:
        """Take a connection back whose answer was read whole."""
        with self._lock:
            if len(self._idle) < _IDLE_MAX and not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Keep no connection any more; what is under way still gets its answer."""
        with self._lock:
            self._closed = True
        self.drop()

    def drop(self) -> None:
        """Close the connections that are kept."""
        with self._lock:
            idle, self._idle = self._idle, deque()
        for connection in idle:
            connection.close()

    def _kept(self) -> Connection | None:
        """Return the connection that was used last, if it is still open."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if connection.is_quiet:
                return connection
            connection.close()
