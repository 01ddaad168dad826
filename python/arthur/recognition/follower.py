"""Keeps an index equal to the catalog, by replaying what the index lacks.

What a change brings is the business of a History: vectors for one index, local features for another.

Any thread may ask to catch up. One of them replays, without holding a lock while the catalog or the index work;
the others wait until the sequence that they need is reached, not until the replay ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition
from typing import TypeVar

import numpy as np
import structlog

from arthur.catalog import Catalog
from arthur.errors import DeadlineExceeded, StoreError
from arthur.recognition.history import Followed, History, Step
from arthur.recognition.stages import Stages
from arthur.types import Keys

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")

PAGE = 8192
WRITTEN_OUT = 50_000
"""Keys after which a replay waits for the index to write them: it puts them faster than segments are built."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long job is: `done` of `total` steps of `stage`."""

    stage: str
    done: int
    total: int


class Follower:
    """The link from catalog to index. Callable from any thread; several processes may follow one catalog."""

    def __init__(self, catalog: Catalog, index: Followed, history: History, *, page: int = PAGE) -> None:
        self._catalog = catalog
        self._index = index
        self._history = history
        self._page = page
        self._turn = Condition()
        self._replaying = False
        self._emptying = False
        self._rebuilds = 0
        self._unwritten = 0

    def epoch(self, *, timeout_s: float | None = None) -> int:
        """Return how often the index was emptied, at a moment when it is not just being emptied.

        A search that begins after this and ends with that number unchanged has not seen an index that was emptied.

        Raises:
            DeadlineExceeded: the index was still being emptied after `timeout_s`.
        """
        with self._turn:
            if not self._turn.wait_for(lambda: not self._emptying, timeout_s):
                raise DeadlineExceeded("the deadline passed while the index was rebuilt")
            return self._rebuilds

    def catch_up(self, *, timeout_s: float | None = None, within: int | None = None) -> int:
        """Apply what the catalog has committed by now, and return the sequence up to which the index has all.

        An index that is ahead of its catalog (the catalog was restored from a backup) is rebuilt from nothing.

        Raises:
            DeadlineExceeded: another thread's replay did not reach that sequence within `timeout_s`.
            StoreError: the catalog or the index failed; what was applied stays applied. Or the index lacks more than
                `within` changes, which takes longer than this caller wants to wait; nothing was applied.
        """
        reached = self._index.sequence
        newest = self._catalog.latest()
        if reached == newest:
            return reached
        if within is not None and newest - reached > within:
            raise StoreError(f"the index is {newest - reached} changes behind the catalog")
        if self._claim(None if reached > newest else newest, timeout_s):
            with self._turn_taken():
                self._replay()
        return self._index.sequence

    def answer(self, ask: Callable[[], Answer], stages: Stages, *, within: int | None = None) -> tuple[Answer, int]:
        """Bring the index up to date and ask it, again if it was emptied for a rebuild meanwhile.

        Returns:
            What the index answered, and the sequence up to which it had all.

        Raises:
            DeadlineExceeded: the deadline passed before the index was asked.
            StoreError: the catalog or the index failed, or lacks more than `within` changes.
        """
        while True:
            with stages.stage("follow"):
                rebuilds = self.epoch(timeout_s=stages.remaining_s)
            try:
                with stages.stage("follow"):
                    sequence = self.catch_up(timeout_s=stages.remaining_s, within=within)
                answered = ask()
            except StoreError:
                if rebuilds == self._rebuilds:
                    raise
                continue
            if rebuilds == self._rebuilds:
                return answered, sequence

    def verify(self, progress: Callable[[Progress], None]) -> None:
        """Make the index equal to the catalog whatever it holds.

        The whole history is applied again, which mends what is missing or should be gone. If the index then still
        holds another number of keys, or stored vectors do not find themselves, it is rebuilt from nothing.

        Raises:
            StoreError: the catalog or the index failed.
        """
        self._claim(None, None)
        with self._turn_taken():
            self._restart_if_ahead()
            if self._retrace(progress):
                return
            self._restart("it differs from the catalog")
            if not self._retrace(progress):
                raise StoreError("the rebuilt index does not equal the catalog")

    def _claim(self, needed: int | None, timeout_s: float | None) -> bool:
        """Wait for the turn to replay; return False if another thread has reached `needed` meanwhile."""
        with self._turn:
            if not self._turn.wait_for(lambda: not self._replaying or self._reached(needed), timeout_s):
                raise DeadlineExceeded("the deadline passed while the index caught up with the catalog")
            if self._reached(needed):
                return False
            self._replaying = True
            return True

    @contextmanager
    def _turn_taken(self) -> Iterator[None]:
        """Give the turn back at the end, whatever happens."""
        try:
            yield
        finally:
            with self._turn:
                self._replaying = False
                self._turn.notify_all()

    def _reached(self, needed: int | None) -> bool:
        return needed is not None and self._index.sequence >= needed

    def _replay(self) -> None:
        """Apply pages until none is left."""
        self._restart_if_ahead()
        self._unwritten = 0
        more = True
        while more:
            step = self._history(self._index.sequence, self._page)
            self._apply(step)
            more = step.more

    def _apply(self, step: Step) -> None:
        """Bring one page into the index and wake those who waited for it."""
        if len(step.removed):
            self._index.remove(step.removed)
        if len(step.keys):
            step.put()
        self._index.advance(step.upto)
        self._written_out(len(step.keys))
        with self._turn:
            self._turn.notify_all()

    def _written_out(self, more: int) -> None:
        """Write to disk what a long replay has put, so that it does not all wait in memory."""
        self._unwritten += more
        if self._unwritten >= WRITTEN_OUT:
            self._index.checkpoint()
            self._unwritten = 0

    def _restart_if_ahead(self) -> None:
        """Empty the index if it knows of changes that the catalog has not seen."""
        reached = self._index.sequence
        if reached > self._catalog.latest():
            self._restart("it is ahead of the catalog, which was restored or replaced")

    def _restart(self, reason: str) -> None:
        log.warning("index_rebuilt", reason=reason, sequence=self._index.sequence)
        with self._turn:
            self._emptying = True
            self._rebuilds += 1
        try:
            self._index.clear()
        finally:
            with self._turn:
                self._emptying = False
                self._turn.notify_all()

    def _retrace(self, progress: Callable[[Progress], None]) -> bool:
        """Apply the whole history again and return whether the index now equals the catalog."""
        live: Keys = np.empty(0, dtype=np.int64)
        since, total = 0, self._catalog.latest()
        sound = more = True
        while more:
            step = self._history(since, self._page)
            self._apply(step)
            live = np.concatenate((live[~np.isin(live, step.removed)], step.keys))
            sound = sound and (not len(step.keys) or step.found())
            since, more = step.upto, step.more
            progress(Progress("index", since, max(total, since)))
        return sound and len(self._index) == len(live)
