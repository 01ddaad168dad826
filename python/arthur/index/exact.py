"""The index that compares every vector, in memory: for small catalogues, and the measure of all other adapters."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from arthur.arrays import check_k, numbers
from arthur.errors import BadRequest, StoreError
from arthur.index.arrays import check_unit, rows
from arthur.types import Filter, JsonValue, Keys, Neighbors, Vectors

Scalar = TypeVar("Scalar", bound=np.generic)


class ExactIndex:
    """See VectorIndex. Keeps nothing on disk, so every process replays the whole catalog when it starts."""

    def __init__(self, *, dim: int) -> None:
        """Start empty, for vectors of `dim` values.

        Raises:
            BadRequest: `dim` is not positive.
        """
        if dim < 1:
            raise BadRequest("the dimension of an index must be positive")
        self._dim = dim
        self._lock = threading.Lock()
        self._sequence = 0
        self._closed = False
        self._removed: set[int] = set()
        self._clear()

    def _clear(self) -> None:
        self._position: dict[int, int] = {}
        self._keys = np.empty(0, np.int64)
        self._artists = np.empty(0, np.int64)
        self._vectors = np.empty((0, self._dim), np.float32)
        self._live = np.empty(0, np.bool_)
        self._used = 0

    @property
    def sequence(self) -> int:
        """See VectorIndex.sequence."""
        return self._sequence

    def __len__(self) -> int:
        """See VectorIndex.__len__."""
        return len(self._position)

    def put(self, keys: Keys, vectors: Vectors, artists: Keys) -> None:
        """See VectorIndex.put."""
        keys, artists = numbers(keys, "keys"), numbers(artists, "artists")
        vectors = rows(vectors, self._dim)
        if not len(keys) == len(vectors) == len(artists):
            raise BadRequest("keys, vectors and artists must be of the same length")
        if (keys < 0).any():
            raise BadRequest("keys must not be negative")
        check_unit(vectors)
        with self._lock:
            self._check_open()
            self._reserve(len(keys))
            for key, vector, artist in zip(keys.tolist(), vectors, artists, strict=True):
                if key not in self._position and key not in self._removed:
                    self._append(key, vector, int(artist))

    def remove(self, keys: Keys) -> int:
        """See VectorIndex.remove."""
        with self._lock:
            self._check_open()
            gone = numbers(keys, "keys").tolist()
            self._removed.update(gone)
            positions = [self._position.pop(key) for key in gone if key in self._position]
            self._live[positions] = False
            return len(positions)

    def advance(self, sequence: int) -> None:
        """See VectorIndex.advance."""
        with self._lock:
            self._sequence = max(self._sequence, sequence)

    def search(self, vectors: Vectors, k: int, *, where: Filter | None = None) -> Neighbors:
        """See VectorIndex.search."""
        check_k(k)
        queries = rows(vectors, self._dim)
        check_unit(queries)
        with self._lock:
            self._check_open()
            # later puts write behind these views, and removals are copied away here
            live = self._live[: self._used].copy()
            known, keys, artists = self._vectors[: self._used], self._keys[: self._used], self._artists[: self._used]
        if where is not None:
            live &= np.isin(artists, np.array(where.artists, np.int64))
        chosen = np.flatnonzero(live)
        answer = Neighbors(np.full((len(queries), k), -1, np.int64), np.full((len(queries), k), -np.inf, np.float32))
        for row, query in enumerate(queries):
            scores = (known @ query)[chosen]
            best = _best(scores, k)
            answer.keys[row, : len(best)] = keys[chosen[best]]
            answer.scores[row, : len(best)] = scores[best]
        return answer

    def checkpoint(self) -> None:
        """See VectorIndex.checkpoint. There are no files."""

    def stats(self) -> Mapping[str, JsonValue]:
        """See VectorIndex.stats."""
        with self._lock:
            return {
                "kind": "exact",
                "keys": len(self._position),
                "removed": len(self._removed),
                "sequence": self._sequence,
                "tail_rows": self._used,
                "memory_bytes": self._vectors.nbytes,
            }

    def close(self) -> None:
        """See VectorIndex.close."""
        with self._lock:
            self._closed = True
            self._clear()

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError("the index is closed")

    def _reserve(self, more: int) -> None:
        """Make room for `more` rows, in new arrays without the removed rows when there is none."""
        if self._used + more <= len(self._keys):
            return
        kept = np.flatnonzero(self._live[: self._used])
        room = max(1024, 2 * (len(kept) + more))
        self._keys = _grown(self._keys[kept], room)
        self._artists = _grown(self._artists[kept], room)
        self._vectors = _grown(self._vectors[kept], room)
        self._live = _grown(self._live[kept], room)
        self._used = len(kept)
        self._position = {key: position for position, key in enumerate(self._keys[: self._used].tolist())}

    def _append(self, key: int, vector: NDArray[np.float32], artist: int) -> None:
        at = self._used
        self._keys[at], self._vectors[at], self._artists[at], self._live[at] = key, vector, artist, True
        self._position[key] = at
        self._used += 1


def _grown(array: NDArray[Scalar], length: int) -> NDArray[Scalar]:
    grown = np.zeros((length, *array.shape[1:]), array.dtype)
    grown[: len(array)] = array
    return grown


def _best(scores: NDArray[np.float32], k: int) -> NDArray[np.intp]:
    """Positions of the `k` highest scores, best first."""
    if len(scores) > k:
        top = np.argpartition(scores, -k)[-k:]
        return top[np.argsort(-scores[top], kind="stable")]
    return np.argsort(-scores, kind="stable")
