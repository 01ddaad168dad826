"""Hosts of the web are asked by few at once, and not too often, whoever asks."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol
from urllib.parse import urlsplit

__all__ = ["Courtesy", "Turns"]


class Turns(Protocol):
    """Gives turns over all workers. See JobQueue.turn."""

    def __call__(self, host: str, *, step_us: int, now_us: int) -> int:
        """Return when the host may be asked next."""
        ...


class Courtesy:
    """Lets callers ask hosts in turn. Callable from any thread.

    Args:
        turns: gives turns over all workers of the catalogue.
        concurrency: requests to one host at the same time, in this process.
        delay_s: between the beginnings of two requests to one host, over all workers.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        turns: Turns,
        *,
        concurrency: int,
        delay_s: float,
        clock_ns: Callable[[], int] = time.time_ns,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._turns = turns
        self._concurrency = concurrency
        self._step_us = int(delay_s * 1e6)
        self._clock_ns = clock_ns
        self._sleep = sleep
        self._freed = threading.Condition()
        self._busy: Counter[str] = Counter()

    @contextmanager
    def turn(self, url: str) -> Iterator[None]:
        """Wait until the host of a URL may be asked; within the block it counts as asked.

        Raises:
            StoreError: the catalog does not answer.
        """
        host = (urlsplit(url).hostname or "").lower()
        with self._freed:
            self._freed.wait_for(lambda: self._busy[host] < self._concurrency)
            self._busy[host] += 1
        try:
            self._await_turn(host)
            yield
        finally:
            with self._freed:
                self._busy[host] -= 1
                self._busy += Counter()  # forgets hosts that nobody asks
                self._freed.notify_all()

    def _await_turn(self, host: str) -> None:
        if not self._step_us:
            return
        now_us = self._clock_ns() // 1000
        wait_us = self._turns(host, step_us=self._step_us, now_us=now_us) - now_us
        if wait_us > 0:
            self._sleep(wait_us / 1e6)
