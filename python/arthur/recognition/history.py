"""The catalog's history as an index needs it: pages of changes, each of which can put itself into the index."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeAlias

from arthur.catalog import Catalog
from arthur.index import VectorIndex
from arthur.local import LocalIndex
from arthur.types import Changes, FeatureChanges, Keys

PROBES = 4
"""Vectors of each page that must find themselves when the index is verified."""
WIDTH = 16
"""How many neighbours such a vector may share its place with."""
ALIKE = 0.99
"""Cosine similarity of copies: when that many are stored, a vector need not be among its own neighbours."""


class Followed(Protocol):
    """An index that follows the catalog. See VectorIndex."""

    @property
    def sequence(self) -> int:
        """See VectorIndex.sequence."""
        ...

    def __len__(self) -> int:
        """See VectorIndex.__len__."""
        ...

    def remove(self, keys: Keys) -> int:
        """See VectorIndex.remove."""
        ...

    def advance(self, sequence: int) -> None:
        """See VectorIndex.advance."""
        ...

    def checkpoint(self) -> None:
        """See VectorIndex.checkpoint."""
        ...

    def clear(self) -> None:
        """Forget everything: `len` and `sequence` are 0 again, and keys may come back. Searches meanwhile may fail.

        Raises:
            StoreError: it cannot begin anew.
        """
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """A page of history.

    Attributes:
        keys: that were put and are live.
        removed: keys that ended.
        upto: the sequence that is reached with this page.
        more: whether further pages follow.
        put: puts what the page brings into the index.
        found: tells whether the index finds a sample of it.
    """

    keys: Keys
    removed: Keys
    upto: int
    more: bool
    put: Callable[[], None]
    found: Callable[[], bool]


History: TypeAlias = Callable[[int, int], Step]
"""Gives up to `limit` changes after `since`."""


def vector_history(catalog: Catalog, index: VectorIndex, *, fingerprint: str) -> History:
    """Return the history of an engine's vectors for a vector index."""

    def read(since: int, limit: int) -> Step:
        changes = catalog.changes(since, limit, fingerprint)
        put = partial(index.put, changes.keys, changes.vectors, changes.artists)
        return _step(changes, put, lambda: _finds_vectors(index, changes))

    return read


def feature_history(catalog: Catalog, index: LocalIndex, *, fingerprint: str) -> History:
    """Return the history of a verifier's local features for a local index."""

    def read(since: int, limit: int) -> Step:
        changes = catalog.feature_changes(since, limit, fingerprint)
        put = partial(index.put, changes.keys, changes.features, changes.artists)
        # what is put is counted afterwards; no query can be made of packed features alone
        return _step(changes, put, lambda: True)

    return read


def _step(changes: Changes | FeatureChanges, put: Callable[[], None], found: Callable[[], bool]) -> Step:
    return Step(changes.keys, changes.removed, changes.upto, changes.more, put, found)


def _finds_vectors(index: VectorIndex, changes: Changes) -> bool:
    """Return whether a sample of the page's vectors finds its own keys."""
    sample = slice(None, None, max(1, len(changes.keys) // PROBES))
    keys = changes.keys[sample]
    found = index.search(changes.vectors[sample], WIDTH)
    own = ((found.keys == keys[:, None]) & (found.scores >= ALIKE)).any(axis=1)
    crowded = found.scores[:, -1] >= ALIKE
    return bool((own | crowded).all())
