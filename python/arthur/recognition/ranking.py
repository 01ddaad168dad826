"""From neighbouring views to the best entries: views are grouped by entry, and each entry shows its best view."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from arthur.catalog import Catalog
from arthur.recognition.stages import Stages
from arthur.types import Neighbors, StoredView

FEWEST = 32
MOST = 1000
GROWTH = 4
"""Views fetched for each entry wanted, and the factor by which a fetch grows that brought too few entries."""
SPARE = 4
"""Keys that the catalog is asked about at a time, beyond one for each entry wanted."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """An entry by its best view."""

    stored: StoredView
    score: float

    @property
    def entry(self) -> tuple[str, str]:
        """Artist and entry."""
        return self.stored.view.artist_id, self.stored.view.entry_id


def rank(
    search: Callable[[int], Neighbors],
    catalog: Catalog,
    stages: Stages,
    *,
    k: int,
    leave_out: tuple[str, str] | None = None,
) -> list[Ranked]:
    """Return the best `k` distinct entries, best first, equal scores in the order of their keys.

    Searches again with more views as long as too few entries came out, up to 1,000 views; so fewer than `k` come
    back only when there are no more, when so many views of few entries are nearer, or when the deadline passed.
    A view that was replaced or removed since the search is left out.

    Args:
        search: gives the nearest views of one vector, `(1, n)`, for a number `n`.
        catalog: knows what the keys name.
        stages: is told the time of `search` and `catalog`, and ends the growth when it is late.
        k: entries wanted.
        leave_out: an entry that must not be in the answer.
    """
    fetch = min(MOST, max(FEWEST, GROWTH * k))
    grouping = _Grouping(catalog, k=k, leave_out=leave_out)
    while True:
        with stages.stage("search", checked=False):
            found = _pairs(search(fetch))
        with stages.stage("catalog", checked=False):
            entries = grouping(found)
        if len(entries) >= k or len(found) < fetch or fetch == MOST or stages.late:
            return entries[:k]
        fetch = min(MOST, fetch * GROWTH)


def _pairs(neighbors: Neighbors) -> list[tuple[int, float]]:
    """Return (key, score) of the first row without the padding, in a fixed order.

    Vectors kept in half precision are not quite of length one, so a copy may score a little above 1: it counts as 1.
    """
    keys, scores = neighbors.keys[0], np.minimum(neighbors.scores[0], 1)
    pairs = [(key, score) for key, score in zip(keys.tolist(), scores.tolist(), strict=True) if key >= 0]
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))


class _Grouping:
    """Groups views by entry; asks the catalog about each key once, and about no more keys than are needed."""

    def __init__(self, catalog: Catalog, *, k: int, leave_out: tuple[str, str] | None) -> None:
        self._catalog = catalog
        self._k = k
        self._leave_out = leave_out
        self._known: dict[int, StoredView | None] = {}

    def __call__(self, found: list[tuple[int, float]]) -> list[Ranked]:
        """Return the best view of each entry, best first, until `k` entries came out."""
        best: dict[tuple[str, str], Ranked] = {}
        step = self._k + SPARE
        for first in range(0, len(found), step):
            part = found[first : first + step]
            self._learn([key for key, _ in part if key not in self._known])
            for key, score in part:
                if (stored := self._known[key]) is not None:
                    ranked = Ranked(stored, score)
                    best.setdefault(ranked.entry, ranked)
            if len(best) > self._k:
                break
        return [ranked for entry, ranked in best.items() if entry != self._leave_out]

    def _learn(self, keys: list[int]) -> None:
        """Ask what these keys name; None is remembered for those that ended."""
        if keys:
            live = self._catalog.views(np.array(keys, dtype=np.int64))
            self._known.update({key: live.get(key) for key in keys})
