"""Whose works an artist's own are near to, and which of them are hard to tell from others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import fmean
from typing import TypeAlias

from arthur.catalog import Catalog
from arthur.errors import NotFound
from arthur.types import Match, StoredLikeness, StoredView, ViewId

__all__ = ["ConfusableWorks", "NearArtist", "confusable_works", "nearest_artists"]

Similar: TypeAlias = Callable[[ViewId], Sequence[Match]]
"""The entries most like a stored view; raises NotFound for one that was not embedded."""
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class NearArtist:
    """Another artist. `views` of those looked at have one of its works near; `score` is the mean of the best ones."""

    artist_id: str
    views: int
    score: float


@dataclass(frozen=True, slots=True)
class ConfusableWorks:
    """An entry of the artist, one that it is like, and the probability that one would be taken for the other."""

    entry_id: str
    other_artist_id: str
    other_entry_id: str
    probability: float


def nearest_artists(artist_id: str, views: Sequence[StoredView], similar: Similar, *, most: int) -> list[NearArtist]:
    """Return the artists whose works are near to most of these views, nearest first.

    Raises:
        StoreError: the catalog did not answer, or the index failed.
    """
    scores: defaultdict[str, list[float]] = defaultdict(list)
    for one in views:
        with suppress(NotFound):
            best: dict[str, float] = {}
            for near in similar(one.view):
                best[near.view.artist_id] = max(near.score, best.get(near.view.artist_id, -1.0))
            for other, score in best.items():
                scores[other].append(score)
    found = [NearArtist(other, len(own), fmean(own)) for other, own in scores.items() if other != artist_id]
    return sorted(found, key=lambda one: (-one.views, -one.score, one.artist_id))[:most]


def confusable_works(
    catalog: Catalog, artist_id: str, *, only: Sequence[str] | None, most: int
) -> list[ConfusableWorks]:
    """Return the artist's works that are hard to tell from others, also from its own; most confusable first.

    Others are of `only` these artists, unless it is None.

    Raises:
        StoreError: the catalog did not answer.
    """
    worst: dict[tuple[str, str, str], float] = {}
    for pair in _pairs(catalog, only):
        newer, older = pair.newer.view, pair.older.view
        for own, other in ((newer, older), (older, newer)):
            if own.artist_id == artist_id:
                key = (own.entry_id, other.artist_id, other.entry_id)
                worst[key] = max(pair.probability, worst.get(key, 0.0))
                break
    found = [ConfusableWorks(*key, probability) for key, probability in worst.items()]
    return sorted(found, key=lambda one: (-one.probability, one.entry_id, one.other_entry_id))[:most]


def _pairs(catalog: Catalog, only: Sequence[str] | None) -> Iterator[StoredLikeness]:
    page = catalog.likenesses("confusable", cursor=None, limit=_PAGE, only=only)
    yield from page.rows
    while page.next_cursor is not None:
        page = catalog.likenesses("confusable", cursor=page.next_cursor, limit=_PAGE, only=only)
        yield from page.rows
