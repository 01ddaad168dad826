"""Indices that can be emptied: they belong to one identity of the catalogue, and a new identity begins without files.

Index files are only used by the engine or verifier fingerprint they were made for. The catalogue's identity is made
part of that name, so a new identity leaves the old files behind whatever they hold, and other processes that still use
them are not disturbed. Once they see for themselves that their index is ahead, they take up the new identity as well.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Generic, Protocol, TypeVar

from arthur.catalog import Catalog
from arthur.index import VectorIndex
from arthur.local import LocalIndex
from arthur.types import Filter, JsonValue, Keys, LocalQuery, Neighbors, Vectors

NOTE = "identity"


class _Index(Protocol):
    """What all indices share. See VectorIndex."""

    @property
    def sequence(self) -> int: ...

    def __len__(self) -> int: ...

    def remove(self, keys: Keys) -> int: ...

    def advance(self, sequence: int) -> None: ...

    def checkpoint(self) -> None: ...

    def stats(self) -> Mapping[str, JsonValue]: ...

    def close(self) -> None: ...


Wrapped = TypeVar("Wrapped", bound=_Index)


class _Renewable(Generic[Wrapped]):
    """An index that `clear` empties. Callable from any thread.

    Args:
        open_index: opens the index for a fingerprint and the identity in one name.
        catalog: keeps the identity.
        fingerprint: of the engine or verifier.

    Raises:
        StoreError: the catalog or the index does not open.
    """

    def __init__(self, open_index: Callable[[str], Wrapped], catalog: Catalog, *, fingerprint: str) -> None:
        self._open = open_index
        self._catalog = catalog
        self._fingerprint = fingerprint
        self._renewing = Lock()
        self._identity = catalog.note(NOTE) or self._renamed()
        self._index = self._opened()

    @property
    def identity(self) -> str:
        """The identity of the catalogue that the index follows."""
        return self._identity

    def clear(self) -> None:
        """Begin anew: `len` and `sequence` are 0 and keys may come back. Searches that run meanwhile may fail.

        Takes up the identity that another process has given meanwhile, or gives a new one.

        Raises:
            StoreError: the catalog does not answer or the index does not open; the index is closed then.
        """
        with self._renewing:
            kept = self._catalog.note(NOTE)
            self._identity = kept if kept is not None and kept != self._identity else self._renamed()
            # First closed, so that the next one may own the files.
            self._index.close()
            self._index = self._opened()

    @property
    def sequence(self) -> int:
        """See VectorIndex.sequence."""
        return self._index.sequence

    def __len__(self) -> int:
        """See VectorIndex.__len__."""
        return len(self._index)

    def remove(self, keys: Keys) -> int:
        """See VectorIndex.remove."""
        return self._index.remove(keys)

    def advance(self, sequence: int) -> None:
        """See VectorIndex.advance."""
        self._index.advance(sequence)

    def checkpoint(self) -> None:
        """See VectorIndex.checkpoint."""
        self._index.checkpoint()

    def stats(self) -> Mapping[str, JsonValue]:
        """See VectorIndex.stats."""
        return self._index.stats()

    def close(self) -> None:
        """See VectorIndex.close."""
        self._index.close()

    def _opened(self) -> Wrapped:
        return self._open(f"{self._fingerprint}@{self._identity}")

    def _renamed(self) -> str:
        """Give the catalogue a new identity; of several processes that do so at once the last one counts for all."""
        self._catalog.put_note(NOTE, uuid.uuid4().hex)
        return self._catalog.note(NOTE) or ""


class RenewableIndex(_Renewable[VectorIndex]):
    """A VectorIndex that can be emptied."""

    def put(self, keys: Keys, vectors: Vectors, artists: Keys) -> None:
        """See VectorIndex.put."""
        self._index.put(keys, vectors, artists)

    def search(self, vectors: Vectors, k: int, *, where: Filter | None = None) -> Neighbors:
        """See VectorIndex.search."""
        return self._index.search(vectors, k, where=where)


class RenewableLocalIndex(_Renewable[LocalIndex]):
    """A LocalIndex that can be emptied."""

    def put(self, keys: Keys, features: Sequence[bytes], artists: Keys) -> None:
        """See LocalIndex.put."""
        self._index.put(keys, features, artists)

    def search(self, query: LocalQuery, k: int, *, where: Filter | None = None) -> Neighbors:
        """See LocalIndex.search."""
        return self._index.search(query, k, where=where)
