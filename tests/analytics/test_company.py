from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from arthur.analytics import ConfusableWorks, NearArtist, confusable_works, nearest_artists, quality_of
from arthur.catalog import Page
from arthur.errors import NotFound
from arthur.pictures import thumbnail_name
from arthur.types import Match, StoredLikeness, StoredView, ViewId
from arthur.verify.packed import Packed, pack

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def stored(key: int, artist: str = "a", entry: str = "e", side: int = 300) -> StoredView:
    view = ViewId(artist, entry, f"v{key}")
    return StoredView(key, view, view.vector_id, "", "", "jpeg", side, 900, 9, {}, NOW, NOW)


def near(artist: str, score: float) -> Match:
    return Match(ViewId(artist, "e", "v"), score, 0.5, {})


def test_the_nearest_artist_is_near_to_most_views() -> None:
    answers = {"v1": [near("b", 0.5), near("b", 0.9), near("a", 1)], "v2": [near("b", 0.7), near("c", 0.95)]}

    def similar(view: ViewId) -> list[Match]:
        if view.view_id not in answers:
            raise NotFound("it was not embedded")
        return answers[view.view_id]

    found = nearest_artists("a", [stored(1), stored(2), stored(3)], similar, most=2)
    assert found == [NearArtist("b", 2, pytest.approx(0.8)), NearArtist("c", 1, 0.95)]


class Likenesses:
    """A catalogue that only lists pairs, one a page."""

    def __init__(self, *pairs: Any) -> None:
        self._pairs = [StoredLikeness(one, two, "confusable", p, 0.9, None, None) for one, two, p in pairs]

    def likenesses(self, kind: str, *, cursor: Any, limit: Any, only: Any) -> Any:
        at = int(cursor or 0)
        return Page((self._pairs[at],), str(at + 1) if at + 1 < len(self._pairs) else None)


def test_confusable_works_are_those_of_the_artist_most_confusable_first() -> None:
    catalog = Likenesses(
        (stored(1, "a", "x"), stored(2, "b", "y"), 0.6),
        (stored(3, "b", "y"), stored(4, "a", "x"), 0.8),
        (stored(5, "b", "y"), stored(6, "c", "z"), 0.99),
        (stored(7, "a", "x"), stored(8, "a", "w"), 0.9),
    )
    found = confusable_works(catalog, "a", only=None, most=9)  # type: ignore[arg-type]  # it only lists pairs
    assert found == [ConfusableWorks("x", "a", "w", 0.9), ConfusableWorks("x", "b", "y", 0.8)]


class Kept:
    """A catalogue that only has features, and a blob store that only has thumbnails."""

    def __init__(self, features: dict[int, bytes], blobs: set[str]) -> None:
        self._features, self._blobs = features, blobs

    def features(self, keys: Any, fingerprint: str) -> dict[int, bytes]:
        return {key: self._features[key] for key in keys.tolist() if key in self._features}

    def read(self, name: str) -> bytes | None:
        return b"" if name in self._blobs else None


def packed(n: int) -> bytes:
    ones = np.ones(n, np.float32)
    words, signatures = np.zeros(n, np.uint16), np.zeros(n, np.uint64)
    return pack(Packed(9, 9, np.ones((n, 2), np.float32), ones, ones, words, signatures, np.zeros((n, 32), np.uint8)))


def test_small_views_missing_thumbnails_and_few_features_are_counted() -> None:
    views = [stored(1), stored(2, side=255), stored(3)]
    kept: Any = Kept({1: packed(50), 2: packed(49)}, {thumbnail_name(views[0])})
    found = quality_of(kept, kept, views, verifier="f")
    assert (found.looked_at, found.small, found.thumbnails_missing, found.features_few) == (3, 1, 2, 2)
    assert quality_of(kept, kept, views, verifier=None).features_few is None
