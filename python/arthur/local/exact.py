"""The local index that looks at every view, in memory: for small catalogues, and the measure of all other adapters."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from arthur.arrays import check_k, numbers
from arthur.errors import BadRequest, StoreError
from arthur.local.packed import Features, unpack
from arthur.local.scoring import MAX_MATCHES, like, nearest, score
from arthur.types import Filter, JsonValue, Keys, LocalQuery, Neighbors


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    artist: int
    features: Features


class ExactLocalIndex:
    """See LocalIndex. Keeps nothing on disk, so every process replays the whole catalog when it starts."""

    def __init__(self, *, threshold: int = 22) -> None:
        """Start empty; signatures of like features differ in at most `threshold` bits."""
        self._threshold = threshold
        self._lock = threading.Lock()
        self._sequence = 0
        self._closed = False
        self._removed: set[int] = set()
        self._views: dict[int, _View] = {}

    @property
    def sequence(self) -> int:
        """See LocalIndex.sequence."""
        return self._sequence

    def __len__(self) -> int:
        """See LocalIndex.__len__."""
        return len(self._views)

    def put(self, keys: Keys, features: Sequence[bytes], artists: Keys) -> None:
        """See LocalIndex.put."""
        keys, artists = numbers(keys, "keys"), numbers(artists, "artists")
        if not len(keys) == len(features) == len(artists):
            raise BadRequest("keys, features and artists must be of the same length")
        if (keys < 0).any():
            raise BadRequest("keys must not be negative")
        views = [_View(artist, unpack(packed)) for artist, packed in zip(artists.tolist(), features, strict=True)]
        with self._lock:
            self._check_open()
            for key, view in zip(keys.tolist(), views, strict=True):
                if key not in self._removed:
                    self._views.setdefault(key, view)

    def remove(self, keys: Keys) -> int:
        """See LocalIndex.remove."""
        with self._lock:
            self._check_open()
            gone = numbers(keys, "keys").tolist()
            self._removed.update(gone)
            return sum(self._views.pop(key, None) is not None for key in gone)

    def advance(self, sequence: int) -> None:
        """See LocalIndex.advance."""
        with self._lock:
            self._sequence = max(self._sequence, sequence)

    def search(self, query: LocalQuery, k: int, *, where: Filter | None = None) -> Neighbors:
        """See LocalIndex.search."""
        check_k(k)
        with self._lock:
            self._check_open()
            views = dict(self._views)
        scores = self._scores(query, views)
        if where is not None:
            scores = {key: found for key, found in scores.items() if views[key].artist in where.artists}
        best = sorted(scores, key=lambda key: -scores[key])[:k]
        answer = Neighbors(np.full((1, k), -1, np.int64), np.full((1, k), -np.inf, np.float32))
        answer.keys[0, : len(best)] = best
        answer.scores[0, : len(best)] = [scores[key] for key in best]
        return answer

    def checkpoint(self) -> None:
        """See LocalIndex.checkpoint. There are no files."""

    def stats(self) -> Mapping[str, JsonValue]:
        """See LocalIndex.stats."""
        with self._lock:
            return {
                "kind": "exact",
                "keys": len(self._views),
                "removed": len(self._removed),
                "sequence": self._sequence,
                "tail_rows": len(self._views),
                "postings": sum(len(view.features.words) for view in self._views.values()),
            }

    def close(self) -> None:
        """See LocalIndex.close."""
        with self._lock:
            self._closed = True
            self._views = {}

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError("the index is closed")

    def _scores(self, query: LocalQuery, views: Mapping[int, _View]) -> dict[int, float]:
        rows = {key: like(query, view.features, self._threshold) for key, view in views.items()}
        counts = sum((np.bincount(part[:, 0], minlength=len(query)) for part in rows.values()), np.zeros(len(query)))
        telling = {key: part[counts[part[:, 0]] <= MAX_MATCHES] for key, part in rows.items()}
        matches = {key: nearest(part) for key, part in telling.items() if len(part)}
        views_of = np.zeros(len(query), np.intp)
        for found in matches.values():
            views_of[found.asked] += 1
        return {key: score(query, views[key].features, found, views_of) for key, found in matches.items()}
