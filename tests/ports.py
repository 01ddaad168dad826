"""Ports for the servers that tests start: free, and never told to two tests, not even of two processes."""

from __future__ import annotations

import itertools
import os
import socket

# below those that systems hand out by themselves, so that no connection takes one before its server listens
_FIRST, _COUNT = 15_000, 17_000
_NUMBERS = itertools.count(os.getpid() * 331)  # processes that begin one after the other are far from each other


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    return next(port for port in (_FIRST + number % _COUNT for number in _NUMBERS) if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
