"""This process' own sockets, and how to tell from them that a server has said all it had to say."""

from __future__ import annotations

import os
import socket
import stat
import time
from contextlib import suppress
from pathlib import Path

import structlog

from arthur.web.desk import Desk

log = structlog.get_logger(__name__)

_QUIET_S = 0.1


def wait_until_quiet(desk: Desk, drain_s: float) -> None:
    """Take no new connections, and wait until the last answer has left, but no longer than `drain_s`.

    Each connection has to be closed behind its answer from now on.
    """
    end = time.monotonic() + drain_s
    answered = desk.answered
    listening = listeners()
    ports = {listener.getsockname()[1] for listener in listening}
    open_before = len(_connections(ports))
    for listener in listening:
        with suppress(OSError):  # Robyn holds the same socket twice, and the second no longer listens
            listener.shutdown(socket.SHUT_RD)  # new connections go to other workers, or are refused
    quiet_since = time.monotonic()
    while time.monotonic() < end and time.monotonic() - quiet_since < _QUIET_S:
        time.sleep(0.01)
        # a connection is closed behind its answer, so one that should be closed still has an answer to send
        leaving = len(_connections(ports)) > open_before - (desk.answered - answered)
        if desk.in_flight or leaving:
            quiet_since = time.monotonic()
    if desk.in_flight:
        log.warning("drain_ended_early", in_flight=desk.in_flight, drain_s=drain_s)


def listeners() -> list[socket.socket]:
    """Return this process' listening sockets, as copies that may be closed."""
    listening = []
    for one in _sockets():
        if one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            listening.append(one)
        else:
            one.close()
    return listening


def _connections(ports: set[int]) -> set[object]:
    """Return the other ends of this process' connections to these ports of its own."""
    found: set[object] = set()
    for one in _sockets():
        with one, suppress(OSError):  # it has no other end
            if one.family in (socket.AF_INET, socket.AF_INET6) and one.getsockname()[1] in ports:
                found.add(one.getpeername())
    return found


def _sockets() -> list[socket.socket]:
    """Return this process' sockets, as copies that may be closed."""
    copies = []
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            if stat.S_ISSOCK(entry.stat().st_mode):
                copies.append(socket.socket(fileno=os.dup(int(entry.name))))
    return copies
