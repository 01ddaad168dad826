"""Counts what happens to a cache."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Literal, TypeAlias

__all__ = ["Event", "Tally"]

Event: TypeAlias = Literal["hits", "misses", "shared", "faults", "skipped"]
"""`shared`: a hit for which another's work was awaited; `skipped`: a call that was not made, as nobody answers."""


class Tally:
    """Numbers by event. Callable from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def count(self, event: Event) -> None:
        """Count one event."""
        with self._lock:
            self._counts[event] += 1

    def counts(self) -> Mapping[str, int]:
        """Return all numbers so far."""
        with self._lock:
            return dict(self._counts)
