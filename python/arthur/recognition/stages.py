"""Stopwatch of one call: how long each stage took, and whether the caller still waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from arthur.errors import DeadlineExceeded


class Stages:
    """Milliseconds by stage, with an optional deadline. Belongs to one thread.

    Args:
        deadline_ms: time from now after which no further stage begins; None never ends.
        clock: seconds that only grow.
        span: see Tracing.span.
    """

    def __init__(
        self,
        deadline_ms: float | None = None,
        *,
        clock: Callable[[], float] = time.perf_counter,
        span: Callable[[str], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._clock = clock
        self._span = span
        self._started = clock()
        self._deadline_ms = deadline_ms
        self._spent: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str, *, checked: bool = True) -> Iterator[None]:
        """Time the body under `name`; a stage entered again adds up.

        Raises:
            DeadlineExceeded: the deadline had passed before a `checked` stage began.
        """
        if checked:
            self.check(name)
        begun = self._clock()
        try:
            with self._span(name):
                yield
        finally:
            self._spent[name] = self._spent.get(name, 0.0) + (self._clock() - begun) * 1000

    def check(self, name: str) -> None:
        """Raise DeadlineExceeded if the deadline has passed; `name` is the stage that would come next."""
        if self.late:
            raise DeadlineExceeded(f"the deadline of {self._deadline_ms:g} ms passed before {name}")

    @property
    def late(self) -> bool:
        """Whether the deadline has passed."""
        left = self.remaining_s
        return left is not None and left <= 0

    @property
    def remaining_s(self) -> float | None:
        """Seconds until the deadline, negative after it; None when there is none."""
        if self._deadline_ms is None:
            return None
        return self._deadline_ms / 1000 - (self._clock() - self._started)

    @property
    def elapsed_ms(self) -> float:
        """Milliseconds since the call began."""
        return (self._clock() - self._started) * 1000

    @property
    def timings_ms(self) -> dict[str, float]:
        """Milliseconds by stage so far, and `total` since the call began."""
        rounded = {name: round(spent, 3) for name, spent in self._spent.items()}
        return {**rounded, "total": round(self.elapsed_ms, 3)}
