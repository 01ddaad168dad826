"""The embedded index: the Rust extension with USearch graphs, in one folder."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from arthur import _native
from arthur.arrays import check_k, numbers
from arthur.index.arrays import rows
from arthur.types import Filter, JsonValue, Keys, Neighbors, Vectors

_log = logging.getLogger(__name__)


class UsearchIndex:
    """See VectorIndex. Several processes may open one folder: one of them writes, the others follow it."""

    def __init__(self, folder: Path, *, dim: int, fingerprint: str, tail_rows: int = 30_000, threads: int = 2) -> None:
        """Open the folder, or make it.

        Args:
            folder: where the files are; everything in it is derived from the catalog.
            dim: values in a vector.
            fingerprint: of the engine; files of another engine are not used.
            tail_rows: rows that are compared exactly before they are sealed into a graph.
            threads: that build a graph, 1 or 2.

        Raises:
            BadRequest: an option is out of range.
            StoreError: the folder cannot be used.
        """
        self._dim = dim
        self._native = _native.Index(
            folder, dim=dim, fingerprint=fingerprint, tail_rows=tail_rows, build_threads=threads
        )
        self._log_notices()

    @property
    def sequence(self) -> int:
        """See VectorIndex.sequence."""
        return self._native.sequence

    def __len__(self) -> int:
        """See VectorIndex.__len__."""
        return len(self._native)

    def put(self, keys: Keys, vectors: Vectors, artists: Keys) -> None:
        """See VectorIndex.put."""
        self._native.put(numbers(keys, "keys"), rows(vectors, self._dim), numbers(artists, "artists"))

    def remove(self, keys: Keys) -> int:
        """See VectorIndex.remove."""
        return self._native.remove(numbers(keys, "keys"))

    def advance(self, sequence: int) -> None:
        """See VectorIndex.advance."""
        self._native.advance(sequence)
        self._log_notices()

    def search(self, vectors: Vectors, k: int, *, where: Filter | None = None) -> Neighbors:
        """See VectorIndex.search."""
        check_k(k)
        artists = None if where is None else np.array(where.artists, np.int64)
        keys, scores = self._native.search(rows(vectors, self._dim), k, artists)
        return Neighbors(keys, scores)

    def checkpoint(self) -> None:
        """See VectorIndex.checkpoint. Does nothing where another process is the one that writes."""
        try:
            self._native.checkpoint()
        finally:
            self._log_notices()

    def stats(self) -> Mapping[str, JsonValue]:
        """See VectorIndex.stats."""
        self._log_notices()
        return {"kind": "usearch", **self._native.stats()}

    def close(self) -> None:
        """See VectorIndex.close."""
        self._native.close()
        self._log_notices()

    def _log_notices(self) -> None:
        for notice in self._native.notices():
            _log.warning("%s", notice)
