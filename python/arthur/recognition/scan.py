"""Search without an index: every vector of the catalog is compared. The way out when the index fails."""

from __future__ import annotations

import numpy as np

from arthur.catalog import Catalog
from arthur.errors import StoreError
from arthur.types import Filter, Keys, Neighbors, Vectors

MOST_VIEWS = 50_000
"""Size up to which a scan takes some ten milliseconds; beyond it a failed index is an error."""
_PAGE = 8192


def scan(catalog: Catalog, fingerprint: str, vector: Vectors, k: int, *, where: Filter | None = None) -> Neighbors:
    """Return the `k` nearest keys of a `(1, dim)` unit row, as VectorIndex.search does.

    Raises:
        StoreError: the catalogue is too large to be scanned for an answer, or does not answer.
    """
    if catalog.counts().views > MOST_VIEWS:
        raise StoreError(f"the index failed and the catalogue is too large to answer without it ({MOST_VIEWS} views)")
    keys: Keys = np.empty(0, dtype=np.int64)
    scores = np.empty(0, dtype=np.float32)
    since, more = 0, True
    while more:
        changes = catalog.changes(since, _PAGE, fingerprint)
        since, more = changes.upto, changes.more
        wanted = slice(None) if where is None else np.isin(changes.artists, where.artists)
        kept = ~np.isin(keys, changes.removed)
        keys = np.concatenate((keys[kept], changes.keys[wanted]))
        scores = np.concatenate((scores[kept], changes.vectors[wanted] @ vector[0]))
    best = np.argsort(-scores, kind="stable")[:k]
    return _padded(keys[best], scores[best], k)


def _padded(keys: Keys, scores: np.ndarray[tuple[int], np.dtype[np.float32]], k: int) -> Neighbors:
    """Return one row of `k` neighbours, the missing ones as the port writes them."""
    missing = k - len(keys)
    return Neighbors(
        keys=np.pad(keys, (0, missing), constant_values=-1)[None],
        scores=np.pad(scores, (0, missing), constant_values=-np.inf)[None],
    )
