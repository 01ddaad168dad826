"""The embedded local index: lists of visual words in the Rust extension, in one folder."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from arthur import _native
from arthur.arrays import check_k, numbers
from arthur.types import Filter, JsonValue, Keys, LocalQuery, Neighbors

_log = logging.getLogger(__name__)


class InvertedIndex:
    """See LocalIndex. Several processes may open one folder: one of them writes, the others follow it."""

    def __init__(self, folder: Path, *, fingerprint: str, tail_rows: int = 10_000, threshold: int = 22) -> None:
        """Open the folder, or make it.

        Args:
            folder: where the files are; everything in it is derived from the catalog.
            fingerprint: of the verifier; files of another one are not used.
            tail_rows: views kept in memory before they are sealed.
            threshold: bits in which the signatures of like features differ at most, 0..32.

        Raises:
            BadRequest: an option is out of range.
            StoreError: the folder cannot be used.
        """
        self._native = _native.LocalIndex(folder, fingerprint=fingerprint, tail_rows=tail_rows, threshold=threshold)
        self._log_notices()

    @property
    def sequence(self) -> int:
        """See LocalIndex.sequence."""
        return self._native.sequence

    def __len__(self) -> int:
        """See LocalIndex.__len__."""
        return len(self._native)

    def put(self, keys: Keys, features: Sequence[bytes], artists: Keys) -> None:
        """See LocalIndex.put."""
        self._native.put(numbers(keys, "keys"), list(features), numbers(artists, "artists"))

    def remove(self, keys: Keys) -> int:
        """See LocalIndex.remove."""
        return self._native.remove(numbers(keys, "keys"))

    def advance(self, sequence: int) -> None:
        """See LocalIndex.advance."""
        self._native.advance(sequence)
        self._log_notices()

    def search(self, query: LocalQuery, k: int, *, where: Filter | None = None) -> Neighbors:
        """See LocalIndex.search."""
        check_k(k)
        artists = None if where is None else np.array(where.artists, np.int64)
        keys, scores = self._native.search(query, k, artists)
        return Neighbors(keys[None], scores[None])

    def checkpoint(self) -> None:
        """See LocalIndex.checkpoint. Does nothing where another process is the one that writes."""
        try:
            self._native.checkpoint()
        finally:
            self._log_notices()

    def stats(self) -> Mapping[str, JsonValue]:
        """See LocalIndex.stats."""
        self._log_notices()
        return {"kind": "inverted", **self._native.stats()}

    def close(self) -> None:
        """See LocalIndex.close."""
        self._native.close()
        self._log_notices()

    def _log_notices(self) -> None:
        for notice in self._native.notices():
            _log.warning("%s", notice)
