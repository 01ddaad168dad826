"""The moment until which a caller waits, carried along with the call as gRPC carries it.

An engine itself knows no deadlines: whoever stands in front of it, a queue or a network, asks here what is left. The
value belongs to the thread (or task) that set it, and is gone when the `with` block ends.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_DEADLINE: ContextVar[float | None] = ContextVar("arthur_deadline", default=None)


@contextmanager
def within(seconds: float | None) -> Iterator[None]:
    """Let the calls in the body be worth an answer for so many seconds from now; None is for ever."""
    with until(None if seconds is None else time.monotonic() + seconds):
        yield


@contextmanager
def until(moment: float | None) -> Iterator[None]:
    """Let the calls in the body be worth an answer until that moment of `time.monotonic()`; None is for ever."""
    token = _DEADLINE.set(moment)
    try:
        yield
    finally:
        _DEADLINE.reset(token)


def deadline() -> float | None:
    """Return the caller's deadline as `time.monotonic()` counts; None when it waits for ever."""
    return _DEADLINE.get()


def is_late(moment: float | None) -> bool:
    """Whether that moment has passed."""
    return moment is not None and time.monotonic() >= moment


def left_s(moment: float | None, *, at_most: float) -> float:
    """Return the seconds until that moment, no more than `at_most`, and not below 0."""
    return at_most if moment is None else min(at_most, max(0.0, moment - time.monotonic()))
