"""How long a queue holds a free engine back for callers that are about to come again."""

from __future__ import annotations

import time
from collections.abc import Callable

_SHARE = 0.2
"""Of the last run's time, which is the most that anybody waits longer than needed."""


class Gathering:
    """Expects those who were answered to ask again soon. Not thread-safe: it belongs to its queue's lock.

    Without it, many clients that each wait for their answer fall into two groups that take turns: one is in the engine
    while the other queues, and batches stay half as large as they could be. Callers that are answered together come
    back together; the next run waits for as many pictures as were answered or waiting when the last one ended. They
    are counted, and not calls, because the same pictures come in fewer calls or more. A caller that is alone waits for
    nobody.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._expected = 0
        self._until = 0.0

    def note(self, *, answered: int, waiting: int, seconds: float) -> None:
        """Take into account that a run of so many seconds has answered some pictures while others waited."""
        self._expected = answered + waiting
        self._until = self._clock() + _SHARE * seconds

    def missing_s(self, waiting: int) -> float:
        """Return how long the next run should wait for more pictures than these; 0 for not at all."""
        if waiting >= self._expected:
            return 0.0
        return max(0.0, self._until - self._clock())
