"""Who may decode and embed just now: a few at a time, the others in a queue that stays short when it does not empty.

Work that shares the cores with more work than there are cores takes longer by as much, and so does everything beside
it. So a process does few pieces at a time, in order of arrival. A burst may wait; where so many came that the queue
was full once, more than the work allows are coming, and a queue would only make everyone wait: until a second has
passed without a refusal, hardly anyone is let into it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from arthur.errors import Overloaded

_CALM_S = 1.0


class Turns:
    """At most `running` holders at a time. Callable from any thread."""

    def __init__(self, running: int, *, waiting: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Let `waiting` wait in a burst, and half as many as run while more come than can be served."""
        self._free = running
        self._waiting = waiting
        self._pressed = running // 2
        self._clock = clock
        self._lock = threading.Lock()
        self._queue: deque[threading.Event] = deque()
        self._impatient = 0
        self._refused_at = -_CALM_S

    @property
    def queued(self) -> int:
        """How many wait."""
        return len(self._queue)

    def refuses(self) -> bool:
        """Whether somebody who comes now is refused, which counts as a refusal."""
        with self._lock:
            return self._refuses()

    @contextmanager
    def taken(self, *, patient: bool = False) -> Iterator[None]:
        """Hold a turn. Who is patient waits for as long as it takes.

        Raises:
            Overloaded: too many wait already.
        """
        self._take(patient=patient)
        try:
            yield
        finally:
            self._give()

    def _take(self, *, patient: bool) -> None:
        with self._lock:
            if not patient and self._refuses():
                raise Overloaded
            if self._free:
                self._free -= 1
                return
            mine = threading.Event()
            self._queue.append(mine)
            self._impatient += not patient
        mine.wait()
        with self._lock:
            self._impatient -= not patient

    def _give(self) -> None:
        with self._lock:
            if self._queue:
                self._queue.popleft().set()
            else:
                self._free += 1

    def _refuses(self) -> bool:
        if self._free:
            return False
        now = self._clock()
        pressed = now - self._refused_at < _CALM_S
        refused = self._impatient >= (self._pressed if pressed else self._waiting)
        if refused:
            self._refused_at = now
        return refused
