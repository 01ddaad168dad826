"""One HTTP/1.1 connection to an embedding service: a request out, an answer in.

Written for the one kind of answer that a service gives - a status, a few headers, a body of known length - because what
reads every kind costs as much as the service itself: `http.client` takes twice the processor time for a picture,
much of it in a parser of mail headers.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

from arthur.encode.address import Address

_HEAD_MAX = 2**16
_ANSWER_MAX = 64 * 2**20
_LEAST_S = 0.001


class Lost(Exception):
    """The service broke off after it may have seen the request, or answered what is no HTTP."""


class Unreached(Exception):
    """The service did not see the request."""


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

    @property
    def is_last(self) -> bool:
        """Whether the service closes the connection behind it."""
        return self.headers.get("connection", "").lower() == "close"


class Connection:
    """An open connection. Used by one thread at a time."""

    def __init__(self, address: Address, *, timeout_s: float) -> None:
        """Connect.

        Raises:
            Unreached: that is not possible, or took longer than `timeout_s`.
        """
        try:
            self._socket = _connected(address, max(timeout_s, _LEAST_S))
        except OSError as error:
            raise Unreached(_reason(error)) from error
        name = f"[{address.host}]" if ":" in address.host else address.host
        self._host = f"{name}:{address.port}" if address.port else name

    @property
    def is_quiet(self) -> bool:
        """Whether a kept connection is still open: one that can be read from was closed, or says too much."""
        poll = select.poll()  # unlike select, it takes any number of descriptor
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def fileno(self) -> int:
        """Return the socket's descriptor, which can be read from when the answer has begun to arrive."""
        return self._socket.fileno()

    def send(self, ask: Ask, *, timeout_s: float) -> None:
        """Send a request, in no longer than `timeout_s`.

        Raises:
            Lost: it broke off meanwhile.
        """
        lines = [f"{ask.method} {ask.path} HTTP/1.1", f"host: {self._host}"]
        lines += [f"{name}: {value}" for name, value in ask.headers.items()]
        if ask.body:
            lines.append(f"content-length: {len(ask.body)}")
        head = "\r\n".join([*lines, "\r\n"]).encode("latin-1")
        try:
            self._socket.settimeout(max(timeout_s, _LEAST_S))
            sent = self._socket.sendmsg([head, ask.body])
            if sent < len(head):
                self._socket.sendall(head[sent:])
            if sent < len(head) + len(ask.body):
                self._socket.sendall(memoryview(ask.body)[max(0, sent - len(head)) :])
        except (BrokenPipeError, ConnectionResetError):
            pass  # it may have answered before it had the whole request, as an overloaded one does
        except OSError as error:
            self.close()
            raise Lost(_reason(error)) from error

    def answer(self, timeout_s: float) -> Answer:
        """Read the answer; each step of it may take `timeout_s`.

        Raises:
            Lost: it broke off, took longer, is too large, or is no HTTP. The connection is closed.
        """
        try:
            self._socket.settimeout(max(timeout_s, _LEAST_S))
            return self._answer()
        except (OSError, ValueError) as error:
            self.close()
            raise Lost(_reason(error)) from error

    def close(self) -> None:
        """Close it. Closing twice is allowed."""
        self._socket.close()

    def _answer(self) -> Answer:
        """Read until the body is whole; ValueError when what comes is none of our kind."""
        buffer = bytearray()
        while (end := buffer.find(b"\r\n\r\n")) < 0:
            if len(buffer) > _HEAD_MAX:
                raise ValueError("its answer has no end of headers")
            buffer += self._some(_HEAD_MAX)
        status, headers = _head(buffer[:end].decode("latin-1"))
        length = headers.get("content-length", "")
        if not length.isdecimal() or len(length) > 10 or int(length) > _ANSWER_MAX:
            raise ValueError("its answer has no length, or is too large")
        del buffer[: end + 4]
        while len(buffer) < int(length):
            buffer += self._some(int(length) - len(buffer))
        if len(buffer) > int(length):
            raise ValueError("its answer is longer than it says")
        return Answer(status, headers, bytes(buffer))

    def _some(self, most: int) -> bytes:
        chunk = self._socket.recv(most)
        if not chunk:
            raise ValueError("remote end closed connection")
        return chunk


def _connected(address: Address, timeout_s: float) -> socket.socket:
    if not address.path:
        connected = socket.create_connection((address.host, address.port), timeout_s)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connected
    connected = socket.socket(socket.AF_UNIX)
    try:
        connected.settimeout(timeout_s)
        connected.connect(address.path)
    except OSError:
        connected.close()
        raise
    return connected


def _head(text: str) -> tuple[int, dict[str, str]]:
    """Read the status and the headers of an answer; ValueError if it is none."""
    first, *lines = text.split("\r\n")
    version, _, rest = first.partition(" ")
    status = rest[:3]
    if version != "HTTP/1.1" or not (len(status) == 3 and status.isdecimal()):
        raise ValueError("its answer is no HTTP/1.1")
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise ValueError("its answer has a line that is no header")
        headers[name.lower()] = value.strip()
    return int(status), headers


def _reason(error: Exception) -> str:
    """Return in few words what went wrong."""
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error).partition("\n")[0].lower() or type(error).__name__
