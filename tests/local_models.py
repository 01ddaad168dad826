"""Models of the verifier and of the local index: a picture's features are the luma of its four quarters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from arthur.errors import EngineError, StoreError
from arthur.recognition.parts import LocalParts
from arthur.types import LocalQuery, Neighbors
from arthur.verify import Verification

NEAR = 6


@dataclass(frozen=True)
class QuarterLook:
    query: LocalQuery
    quarters: np.ndarray
    size: tuple[int, int]


class QuarterVerifier:
    """Finds a work where quarters are alike, each worth 25 inliers. `broken` makes it fail; `looks` counts photos."""

    fingerprint = "quarters"

    def __init__(self) -> None:
        self.broken = False
        self.looks = 0

    def describe(self, gray: Any) -> Any:
        return self._quarters(gray).tobytes()

    def look(self, gray: Any) -> Any:
        self.looks += 1
        return self._look(self._quarters(gray), gray.shape)

    def _look(self, quarters: Any, size: Any) -> Any:
        words = quarters.astype(np.uint16)[:, None]
        ones = np.ones(4, np.float32)
        query = LocalQuery(words, words.astype(np.uint64), np.zeros((4, 2), np.float32), ones, ones)
        return QuarterLook(query, quarters, size)

    def recall(self, packed: Any) -> Any:
        return self._look(np.frombuffer(packed, np.uint8), (32, 32))

    def compare(self, look: Any, candidates: Any) -> Any:
        return [self._verification(look, np.frombuffer(packed, np.uint8)) for packed in candidates]

    def _verification(self, look: Any, quarters: Any) -> Any:
        alike = int((np.abs(look.quarters.astype(int) - quarters.astype(int)) < NEAR).sum())
        height, width = look.size
        quad = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) if alike > 1 else None
        return Verification(inliers=25 * alike, coverage=alike / 4, support=alike / 4, quad=quad, matches=alike)

    def _quarters(self, gray: Any) -> Any:
        if self.broken:
            raise EngineError("the verifier is broken")
        height, width = (side // 2 for side in gray.shape)
        blocks = gray[: 2 * height, : 2 * width].reshape(2, height, 2, width)
        return blocks.mean(axis=(1, 3)).astype(np.uint8).ravel()


class QuarterIndex:
    """Votes by quarters that are alike. `broken` makes every search fail."""

    def __init__(self) -> None:
        self.clear()
        self.broken = False

    def clear(self) -> None:
        self.rows, self.sequence = {}, 0

    def __len__(self) -> Any:
        return len(self.rows)

    def put(self, keys: Any, features: Any, artists: Any) -> None:
        for key, packed, artist in zip(keys.tolist(), features, artists.tolist(), strict=True):
            self.rows.setdefault(key, (np.frombuffer(packed, np.uint8), artist))

    def remove(self, keys: Any) -> Any:
        return sum(self.rows.pop(key, None) is not None for key in keys.tolist())

    def advance(self, sequence: Any) -> None:
        self.sequence = max(self.sequence, sequence)

    def search(self, query: Any, k: Any, *, where: Any = None) -> Any:
        if self.broken:
            raise StoreError("the local index is broken")
        asked = query.words[:, 0].astype(int)
        votes = [
            (float((np.abs(quarters.astype(int) - asked) < NEAR).sum()), key)
            for key, (quarters, artist) in self.rows.items()
            if where is None or artist in where.artists
        ]
        best = sorted((vote for vote in votes if vote[0]), reverse=True)[:k]
        keys, scores = np.full((1, k), -1, np.int64), np.full((1, k), -np.inf, np.float32)
        for place, (score, key) in enumerate(best):
            keys[0, place], scores[0, place] = key, score
        return Neighbors(keys, scores)

    def checkpoint(self) -> None:
        pass

    def stats(self) -> Any:
        return {"kind": "quarters"}

    def close(self) -> None:
        pass


def local_parts() -> LocalParts:
    """A verifier and a local index that are models."""
    return LocalParts(QuarterVerifier(), QuarterIndex())
