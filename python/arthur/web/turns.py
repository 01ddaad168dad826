"""Who may decode and embed just now: a few at a time, the others in a queue that stays short when it does not empty.

Work that shares the cores with more work than there are cores takes longer by as much, and so does everything beside
it. So a process does few pieces at a time, in order of arrival. A burst may wait. Where the queue was full once, more
may be coming than the work allows, and a queue would only make everyone wait: until a second has passed without a
refusal, hardly anyone is let into it; and once as many were refused as it holds, those far behind in it are refused.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from arthur.errors import Overloaded

_CALM_S = 1.0


@dataclass(slots=True, eq=False)
class _Waiter:
    """Somebody in the queue; `refused` is read once `called`."""

    patient: bool
    called: threading.Event = field(default_factory=threading.Event)
    refused: bool = False


class Turns:
    """At most `running` holders at a time. Callable from any thread."""

    def __init__(self, running: int, *, waiting: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Let `waiting` wait in a burst, and half as many as run while more come than can be served."""
        self._free = self._running = running
        self._waiting = waiting
        self._pressed = running // 2
        self._clock = clock
        self._lock = threading.Lock()
        self._queue: deque[_Waiter] = deque()
        self._impatient = 0
        self._refused_at = -_CALM_S
        self._refusals = 0

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
            mine = _Waiter(patient)
            self._queue.append(mine)
            self._impatient += not patient
        mine.called.wait()
        if mine.refused:
            raise Overloaded

    def _give(self) -> None:
        with self._lock:
            if self._queue:
                self._call(self._queue.popleft())
            else:
                self._free += 1

    def _call(self, waiter: _Waiter) -> None:
        self._impatient -= not waiter.patient
        waiter.called.set()

    def _refuses(self) -> bool:
        if self._free:
            return False
        now = self._clock()
        pressed = now - self._refused_at < _CALM_S
        if self._impatient < (self._pressed if pressed else self._waiting):
            return False
        self._refusals = self._refusals + 1 if pressed else 1
        self._refused_at = now
        if self._refusals == self._waiting:
            self._shorten()
        return True

    def _shorten(self) -> None:
        """Refuse those who would wait for longer than their own work takes."""
        hasty = [waiter for waiter in self._queue if not waiter.patient]
        for waiter in hasty[self._running :]:
            waiter.refused = True
            self._queue.remove(waiter)
            self._call(waiter)
