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
    known: dict[int, StoredView] = {}
    asked: set[int] = set()
    while True:
        with stages.stage("search"):
            neighbors = search(fetch)
        found = _pairs(neighbors)
        with stages.stage("catalog"):
            fresh = [key for key, _ in found if key not in asked]
            known.update(catalog.views(np.array(fresh, dtype=np.int64)) if fresh else {})
            asked.update(fresh)
        entries = _grouped(found, known, leave_out)
        if len(entries) >= k or len(found) < fetch or fetch == MOST or stages.late:
            return entries[:k]
        fetch = min(MOST, fetch * GROWTH)


def _pairs(neighbors: Neighbors) -> list[tuple[int, float]]:
    """Return (key, score) of the first row without the padding, in a fixed order."""
    keys, scores = neighbors.keys[0], neighbors.scores[0]
    pairs = [(key, score) for key, score in zip(keys.tolist(), scores.tolist(), strict=True) if key >= 0]
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))


def _grouped(
    found: list[tuple[int, float]], known: dict[int, StoredView], leave_out: tuple[str, str] | None
) -> list[Ranked]:
    """Return the best view of each entry, best first."""
    best: dict[tuple[str, str], Ranked] = {}
    for key, score in found:
        if (stored := known.get(key)) is not None:
            ranked = Ranked(stored, score)
            best.setdefault(ranked.entry, ranked)
    return [ranked for entry, ranked in best.items() if entry != leave_out]
