"""Keeps requests away from a server that does not answer, and lets one through now and then to see."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

__all__ = ["Breaker"]

_PATIENCE = 3
_FIRST_REST_S = 0.5
_LONGEST_REST_S = 8.0


class Breaker:
    """Opens after a few failures in a row. Each failure of a call that was let through doubles the rest.

    Callable from any thread.
    """

    def __init__(self, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._failures = 0
        self._rest_s = _FIRST_REST_S
        self._closed_until_s: float | None = None

    def allows(self) -> bool:
        """Return whether to call now; after a rest one caller is let through, while others still are not."""
        with self._lock:
            if self._closed_until_s is None:
                return True
            now_s = self._clock_s()
            if now_s < self._closed_until_s:
                return False
            self._closed_until_s = now_s + self._rest_s
            return True

    def succeeded(self) -> bool:
        """Note an answer; return whether it is the first after a rest."""
        with self._lock:
            rested = self._closed_until_s is not None
            self._failures, self._rest_s, self._closed_until_s = 0, _FIRST_REST_S, None
            return rested

    def failed(self) -> bool:
        """Note a failure; return whether it is the one that begins a rest."""
        with self._lock:
            self._failures += 1
            if self._failures < _PATIENCE:
                return False
            began = self._closed_until_s is None
            self._closed_until_s = self._clock_s() + self._rest_s
            self._rest_s = min(2 * self._rest_s, _LONGEST_REST_S)
            return began
