"""When to ask a second embedding service because the first takes unusually long, and how often that may be done."""

from __future__ import annotations

from collections import deque
from threading import Lock

_REMEMBERED = 256
_ENOUGH = 32
_SHARE = 0.95
_EARNED = 0.05
_SAVED_MAX = 10.0


class Hedging:
    """Knows how long answers take of late. Callable from any thread.

    One question in twenty may be asked twice, and ten more after a quiet time: when a service is slow because there is
    too much to do, second questions would only make it more.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._seconds: deque[float] = deque(maxlen=_REMEMBERED)
        self._noted = 0
        self._after_s: float | None = None
        self._saved = _SAVED_MAX

    @property
    def after_s(self) -> float | None:
        """The 95th percentile of the newest 256 answers' times; None until 32 are known."""
        return self._after_s

    def note(self, seconds: float) -> None:
        """Take an answer's time into account, and earn a twentieth of a second question."""
        with self._lock:
            self._seconds.append(seconds)
            self._noted += 1
            self._saved = min(_SAVED_MAX, self._saved + _EARNED)
            if self._noted % _ENOUGH == 0:
                ordered = sorted(self._seconds)
                self._after_s = ordered[int(_SHARE * (len(ordered) - 1))]

    def take(self) -> bool:
        """Return whether a second question may be asked now, and count it."""
        with self._lock:
            if self._saved < 1:
                return False
            self._saved -= 1
            return True
