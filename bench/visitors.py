"""A load generator that costs little: many connections in one thread, each with one request under way at a time.

The request is made once and sent again and again from the same memory, answers are read no further than their length,
and `select.epoll` tells which connection has something: a request costs this process a few system calls and a hundredth
of a millisecond of Python. What it used is part of what it found, so that a reader can see who was the bottleneck.
"""

from __future__ import annotations

import select
import socket
import time
from dataclasses import dataclass, field

from arthur.encode.address import Address

_CHUNK = 2**18
_GOOD = 200
_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Visited:
    """What the visitors found.

    Attributes:
        ms: time from the first byte sent to the last byte received, of each request that was answered 200.
        refused: answers of another status.
        seconds: how long it took.
        cpu_s: processor time of the generator.
    """

    ms: list[float]
    refused: int
    seconds: float
    cpu_s: float


@dataclass(slots=True)
class _Visitor:
    """One connection."""

    sock: socket.socket
    request: memoryview
    sent: int = 0
    begun: float = 0.0
    answer: bytearray = field(default_factory=bytearray)
    whole: int = 0

    def ask(self) -> bool:
        """Send what is left of the request; whether all of it is sent."""
        try:
            while self.sent < len(self.request):
                self.sent += self.sock.send(self.request[self.sent :])
        except BlockingIOError:
            return False
        return True

    def listen(self) -> int:
        """Read; return the status once the answer is whole, else 0. Raises ConnectionError when it breaks off."""
        chunk = self.sock.recv(_CHUNK)
        if not chunk:
            raise ConnectionError("the service closed the connection")
        self.answer += chunk
        if not self.whole and (head := self.answer.find(_END)) >= 0:
            fields = bytes(self.answer[:head]).lower().split(b"content-length:")
            self.whole = head + len(_END) + int(fields[1].split(b"\r\n")[0])
        return int(self.answer[9:12]) if self.whole and len(self.answer) >= self.whole else 0

    def again(self) -> None:
        """Begin the next request."""
        self.sent, self.whole, self.begun = 0, 0, time.perf_counter()
        self.answer.clear()


def visit(address: Address, request: bytes, *, clients: int, seconds: float) -> Visited:
    """Let so many clients send `request` again and again, each when it has its answer, for so long."""
    begun, cpu = time.perf_counter(), time.process_time()
    crowd = _Crowd(begun + seconds)
    for _ in range(clients):
        crowd.let_in(_arrived(address, request))
    while crowd.visitors:
        crowd.turn()
    return Visited(crowd.ms, crowd.refused, time.perf_counter() - begun, time.process_time() - cpu)


class _Crowd:
    """Those who are still there, until `end`."""

    def __init__(self, end: float) -> None:
        self.visitors: dict[int, _Visitor] = {}
        self.ms: list[float] = []
        self.refused = 0
        self._end = end
        self._poll = select.epoll()

    def let_in(self, visitor: _Visitor) -> None:
        """Let one more begin."""
        self.visitors[visitor.sock.fileno()] = visitor
        self._poll.register(visitor.sock, select.EPOLLIN)
        self._begin(visitor)

    def turn(self) -> None:
        """Serve everyone who has something to do."""
        for number, events in self._poll.poll():
            visitor = self.visitors[number]
            if events & select.EPOLLOUT and visitor.ask():
                self._poll.modify(number, select.EPOLLIN)
            if events & select.EPOLLIN and (status := visitor.listen()):
                self._answered(visitor, status)

    def _begin(self, visitor: _Visitor) -> None:
        visitor.again()
        if not visitor.ask():
            self._poll.modify(visitor.sock, select.EPOLLIN | select.EPOLLOUT)

    def _answered(self, visitor: _Visitor, status: int) -> None:
        now = time.perf_counter()
        if status == _GOOD:
            self.ms.append((now - visitor.begun) * 1000)
        else:
            self.refused += 1
        if now < self._end:
            self._begin(visitor)
            return
        del self.visitors[visitor.sock.fileno()]
        visitor.sock.close()


def _arrived(address: Address, request: bytes) -> _Visitor:
    """Connect one visitor."""
    if address.path:
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(address.path)
    else:
        sock = socket.create_connection((address.host, address.port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setblocking(False)
    return _Visitor(sock, memoryview(request))
