"""Keeps an index equal to the catalog, by replaying what the index lacks.

Any thread may ask to catch up. One of them replays, without holding a lock while the catalog or the index work;
the others wait until the sequence that they need is reached, not until the replay ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition

import numpy as np
import structlog

from arthur.catalog import Catalog
from arthur.errors import DeadlineExceeded, StoreError
from arthur.recognition.parts import ClearableIndex
from arthur.types import Changes, Keys

log = structlog.get_logger(__name__)

PAGE = 8192
PROBES = 4
"""Vectors of each page that must find themselves when the index is verified."""
WIDTH = 16
"""How many neighbours such a vector may share its place with."""
ALIKE = 0.99
"""Cosine similarity of copies: when that many are stored, a vector need not be among its own neighbours."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long job is: `done` of `total` steps of `stage`."""

    stage: str
    done: int
    total: int


class Follower:
    """The link from catalog to index. Callable from any thread; several processes may follow one catalog."""

    def __init__(self, catalog: Catalog, index: ClearableIndex, *, fingerprint: str, page: int = PAGE) -> None:
        self._catalog = catalog
        self._index = index
        self._fingerprint = fingerprint
        self._page = page
        self._turn = Condition()
        self._replaying = False
        self._emptying = False
        self._rebuilds = 0

    @property
    def rebuilds(self) -> int:
        """How often the index was emptied, counted before it is."""
        return self._rebuilds

    def epoch(self, *, timeout_s: float | None = None) -> int:
        """Return `rebuilds` at a moment when the index is not just being emptied.

        A search that begins after this and ends with `rebuilds` unchanged has not seen an index that was emptied.

        Raises:
            DeadlineExceeded: the index was still being emptied after `timeout_s`.
        """
        with self._turn:
            if not self._turn.wait_for(lambda: not self._emptying, timeout_s):
                raise DeadlineExceeded("the deadline passed while the index was rebuilt")
            return self._rebuilds

    def catch_up(self, *, timeout_s: float | None = None) -> int:
        """Apply what the catalog has committed by now, and return the sequence up to which the index has all.

        An index that is ahead of its catalog (the catalog was restored from a backup) is rebuilt from nothing.

        Raises:
            DeadlineExceeded: another thread's replay did not reach that sequence within `timeout_s`.
            StoreError: the catalog or the index failed; what was applied stays applied.
        """
        reached = self._index.sequence
        newest = self._catalog.latest()
        if reached == newest:
            return reached
        if self._claim(None if reached > newest else newest, timeout_s):
            with self._turn_taken():
                self._replay()
        return self._index.sequence

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
        more = True
        while more:
            changes = self._catalog.changes(self._index.sequence, self._page, self._fingerprint)
            self._apply(changes)
            more = changes.more

    def _apply(self, changes: Changes) -> None:
        """Bring one page into the index and wake those who waited for it."""
        if len(changes.removed):
            self._index.remove(changes.removed)
        if len(changes.keys):
            self._index.put(changes.keys, changes.vectors, changes.artists)
        self._index.advance(changes.upto)
        with self._turn:
            self._turn.notify_all()

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
            changes = self._catalog.changes(since, self._page, self._fingerprint)
            self._apply(changes)
            live = np.concatenate((live[~np.isin(live, changes.removed)], changes.keys))
            sound = sound and self._finds(changes)
            since, more = changes.upto, changes.more
            progress(Progress("index", since, max(total, since)))
        return sound and len(self._index) == len(live)

    def _finds(self, changes: Changes) -> bool:
        """Return whether a sample of the page's vectors finds its own keys."""
        sample = slice(None, None, max(1, len(changes.keys) // PROBES))
        keys = changes.keys[sample]
        if not len(keys):
            return True
        found = self._index.search(changes.vectors[sample], WIDTH)
        own = ((found.keys == keys[:, None]) & (found.scores >= ALIKE)).any(axis=1)
        crowded = found.scores[:, -1] >= ALIKE
        return bool((own | crowded).all())
