"""One embedding service as its client sees it: an address, kept connections, and one exchange over them.

It speaks HTTP/1.1 through the standard library: measured beside httpx it takes 0.3 ms less for a picture's pixels, of
the 1 ms that a service may cost, and it shows the socket, on which the answers of two services can be awaited at once.
"""

from __future__ import annotations

import select
import socket
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from threading import Lock
from urllib.parse import urlsplit

from arthur.errors import ConfigError

_CONNECT_S = 1.0
_IDLE_MAX = 64
_ANSWER_MAX = 64 * 2**20
_SCHEMES = ("http://", "https://", "unix:")


class Lost(Exception):
    """The service broke off after it may have seen the request, or answered what is no HTTP."""


class Unreached(Exception):
    """The service did not see the request."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a service listens: `http://host:port`, or `unix:/path`."""

    url: str
    host: str = "localhost"
    port: int = 0
    path: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """A request. It may be sent again, also to another service: embedding changes nothing."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | memoryview = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, whole. `headers` are by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def is_remote(engine: str) -> bool:
    """Whether an `engine` setting names embedding services rather than an engine."""
    return engine.startswith(_SCHEMES)


def parse_addresses(engine: str) -> tuple[Address, ...]:
    """Read the addresses in an `engine` setting, separated by commas.

    Raises:
        ConfigError: one is not of the form `http://host:port` or `unix:/path`.
    """
    urls = [url.strip() for url in engine.split(",") if url.strip()]
    return tuple(_address(url) for url in dict.fromkeys(urls))


def _address(url: str) -> Address:
    if url.startswith("unix:/"):
        return Address(url, path=url.removeprefix("unix:"))
    parts = urlsplit(url)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if parts.scheme != "http" or not host or not port or parts.path.strip("/") or parts.query or parts.username:
        raise ConfigError(f"{url!r} is no address of an embedding service: http://host:port or unix:/path")
    return Address(url, host, port)


class _Connection(HTTPConnection):
    """A connection that may lead to a Unix socket."""

    def __init__(self, address: Address) -> None:
        super().__init__(address.host, address.port, timeout=_CONNECT_S)
        self._path = address.path

    def connect(self) -> None:
        if not self._path:
            super().connect()
            return
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)

    @property
    def is_quiet(self) -> bool:
        """Whether the kept connection is still open: one that can be read from was closed, or says too much."""
        poll = select.poll()  # unlike select, it takes any number of descriptor
        poll.register(self.sock, select.POLLIN)
        return not poll.poll(0)


class Exchange:
    """A request that was sent and whose answer is awaited. Belongs to one thread."""

    def __init__(self, endpoint: Endpoint, connection: _Connection) -> None:
        self.endpoint = endpoint
        self._connection = connection

    def fileno(self) -> int:
        """Return the socket's descriptor, which can be read from when the answer has begun to arrive."""
        return int(self._connection.sock.fileno())

    def answer(self, timeout_s: float) -> Answer:
        """Read the answer, and keep the connection for the next request.

        Raises:
            Lost: it broke off, took longer than `timeout_s`, is too large, or is no HTTP.
        """
        try:
            self._connection.sock.settimeout(max(timeout_s, 0.001))
            response = self._connection.getresponse()
            body = _whole(response)
        except (OSError, HTTPException) as error:
            self.abandon()
            raise Lost(_reason(error)) from error
        headers = {name.lower(): value for name, value in response.getheaders()}
        if response.will_close:
            self._connection.close()
        else:
            self.endpoint.keep(self._connection)
        return Answer(response.status, headers, body)

    def abandon(self) -> None:
        """Close the connection, which tells the service that nobody waits any more."""
        self._connection.close()


class Endpoint:
    """A service and the connections kept to it. Callable from any thread."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._lock = Lock()
        self._idle: deque[_Connection] = deque()
        self._closed = False

    def send(self, ask: Ask, *, timeout_s: float) -> Exchange:
        """Send a request over a kept connection or a new one; each step of it may take `timeout_s` at most.

        Raises:
            Unreached: no connection can be made.
            Lost: it broke off while the request was sent.
        """
        connection = self._kept() or _Connection(self.address)
        if connection.sock is None:
            try:
                connection.timeout = max(min(timeout_s, _CONNECT_S), 0.001)
                connection.connect()
            except OSError as error:
                connection.close()
                raise Unreached(_reason(error)) from error
        try:
            connection.sock.settimeout(max(timeout_s, 0.001))
            connection.request(ask.method, ask.path, ask.body or None, dict(ask.headers))
        except (BrokenPipeError, ConnectionResetError):
            pass  # it may have answered before it had the whole request, as an overloaded one does
        except (OSError, HTTPException) as error:
            connection.close()
            raise Lost(_reason(error)) from error
        return Exchange(self, connection)

    def keep(self, connection: _Connection) -> None:
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

    def _kept(self) -> _Connection | None:
        """Return the connection that was used last, if it is still open."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if connection.is_quiet:
                return connection
            connection.close()


def _whole(response: HTTPResponse) -> bytes:
    """Read the body of an answer that tells its length; HTTPException if it does not, or is cut short."""
    if response.length is None or response.length > _ANSWER_MAX:
        raise HTTPException("its answer has no length, or is too large")
    return response.read()


def _reason(error: Exception) -> str:
    """Return in few words what went wrong."""
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error).partition("\n")[0].lower() or type(error).__name__
