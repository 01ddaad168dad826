"""From a vector to entries: the index is brought up to date, searched, and stood in for when it fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import structlog

from arthur.errors import BadRequest, StoreError
from arthur.index import VectorIndex
from arthur.recognition.follower import Follower
from arthur.recognition.parts import Parts
from arthur.recognition.ranking import Ranked, rank
from arthur.recognition.scan import scan
from arthur.recognition.stages import Stages
from arthur.recognition.standby import MOST_BEHIND, Standby
from arthur.types import Filter, Neighbors, Query, Vectors

log = structlog.get_logger(__name__)

MOST_ENTRIES = 100
FEWEST_ENTRIES = 10
"""Entries that are looked for even when fewer are wanted: a decision compares, and geometry looks at several."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search brought.

    Attributes:
        entries: best first; FEWEST_ENTRIES of them where there are so many.
        sequence: of the catalog, up to which every change was seen.
        degraded: the index failed, and another one answered or the catalog was scanned instead.
        known: whether any artist that was asked for exists.
        where: the artists that were asked for; None for all.
    """

    entries: list[Ranked]
    sequence: int
    degraded: bool = False
    known: bool = True
    where: Filter | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many entries, of which artists, and which entry not."""

    k: int
    where: Filter | None
    leave_out: tuple[str, str] | None


def check_query(query: Query) -> None:
    """Raise BadRequest if a number of the query is out of its range."""
    if not 1 <= query.k <= MOST_ENTRIES:
        raise BadRequest(f"k must be 1..{MOST_ENTRIES}")
    if query.min_score is not None and not -1 <= query.min_score <= 1:
        raise BadRequest("min_score must be -1..1")
    if query.max_false_accept is not None and not 0 < query.max_false_accept < 1:
        raise BadRequest("max_false_accept must lie between 0 and 1")
    if query.deadline_ms is not None and not query.deadline_ms > 0:
        raise BadRequest("deadline_ms must be above 0")


class Searcher:
    """Searches for entries. Callable from any thread.

    Args:
        parts: with the index.
        follower: keeps that equal to the catalog.
        standby: is asked while the index fails; None asks the index every time.
        scans: whether a small catalogue is compared view by view when no index answers.
    """

    def __init__(self, parts: Parts, follower: Follower, standby: Standby | None = None, *, scans: bool = True) -> None:
        self._catalog = parts.catalog
        self._index = parts.index
        self._fingerprint = parts.encoder.spec.fingerprint
        self._follower = follower
        self._standby = standby
        self._scans = scans

    def __call__(
        self, vector: Vectors, query: Query, stages: Stages, *, leave_out: tuple[str, str] | None = None
    ) -> Found:
        """Return the entries nearest to a `(1, dim)` unit row; `leave_out` is an entry that must not be among them.

        Raises:
            DeadlineExceeded: the deadline passed before the first search began.
            StoreError: the catalog did not answer, or no index did and the catalogue is not to be scanned, or large.
        """
        where = None
        if query.artist_ids:
            with stages.stage("catalog"):
                where = Filter(self._catalog.artist_numbers(query.artist_ids))
            if not where.artists:
                return Found([], self._catalog.latest(), known=False)
        wanted = Wanted(max(query.k, FEWEST_ENTRIES), where, leave_out)
        if self._standby is None or not self._standby.in_charge:
            try:
                return self._by_index(vector, wanted, stages)
            except StoreError as error:
                self._failed(error)
        return self._otherwise(vector, wanted, stages)

    def _failed(self, error: StoreError) -> None:
        """Tell of the failed index; the standby, if there is one, takes over."""
        if self._standby is not None:
            self._standby.take_over(error)
        elif self._scans:
            log.error("index_failed", error=str(error))
        else:
            raise error

    def _otherwise(self, vector: Vectors, wanted: Wanted, stages: Stages) -> Found:
        """Answer without the index."""
        if self._standby is None:
            return self._by_scan(vector, wanted, stages)
        ask = self._asking(self._standby.index, vector, wanted, stages)
        return Found(*self._standby.follower.answer(ask, stages), degraded=True, where=wanted.where)

    def _by_index(self, vector: Vectors, wanted: Wanted, stages: Stages) -> Found:
        ask = self._asking(self._index, vector, wanted, stages)
        within = None if self._standby is None else MOST_BEHIND
        return Found(*self._follower.answer(ask, stages, within=within), where=wanted.where)

    def _asking(
        self, index: VectorIndex, vector: Vectors, wanted: Wanted, stages: Stages
    ) -> Callable[[], list[Ranked]]:
        return lambda: self._ranked(lambda n: index.search(vector, n, where=wanted.where), wanted, stages)

    def _by_scan(self, vector: Vectors, wanted: Wanted, stages: Stages) -> Found:
        """Compare with every vector in the catalog."""
        sequence = self._catalog.latest()
        compared = partial(scan, self._catalog, self._fingerprint, vector, where=wanted.where)
        return Found(self._ranked(compared, wanted, stages), sequence, degraded=True, where=wanted.where)

    def _ranked(self, search: Callable[[int], Neighbors], wanted: Wanted, stages: Stages) -> list[Ranked]:
        return rank(search, self._catalog, stages, k=wanted.k, leave_out=wanted.leave_out)
