"""Rate limits of one process."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from arthur.rates import Rate

_MOST_NAMES = 100_000


class MemoryLimiter:
    """See Limiter. A name costs about 200 bytes; beyond `most_names` the one not seen for longest is forgotten.

    A bucket is kept as the moment at which it will be full again, which is a token bucket in one number (GCRA).
    """

    def __init__(self, *, most_names: int = _MOST_NAMES, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most_names
        self._clock = clock
        self._full_at: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, name: str, rate: Rate) -> float:
        """See Limiter.take."""
        with self._lock:
            now = self._clock()
            full_at = max(self._full_at.get(name, now), now) + 1 / rate.per_s
            # a ten-millionth of a second: what rounding may cost must not refuse the last one of a burst
            wait_s = full_at - now - rate.burst / rate.per_s - 1e-7
            if wait_s > 0:
                self._full_at.move_to_end(name)  # who asks too often is not forgotten for it
                return wait_s
            self._full_at[name] = full_at
            self._full_at.move_to_end(name)
            if len(self._full_at) > self._most:
                self._full_at.popitem(last=False)
        return 0.0

    def learn(self, name: str, left_s: float) -> None:
        """Take over from elsewhere that the bucket of `name` will not be full for `left_s` more seconds."""
        with self._lock:
            full_at = self._clock() + left_s
            if full_at > self._full_at.get(name, 0.0):
                self._full_at[name] = full_at

    def close(self) -> None:
        """See Limiter.close."""
