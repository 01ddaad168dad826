"""Port of the vector indices: which stored vectors are most like this one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from arthur.types import Filter, JsonValue, Keys, Neighbors, Vectors

__all__ = ["VectorIndex"]


class VectorIndex(Protocol):
    """Vectors by key, derived from the catalog and rebuilt from it at will.

    Every method may be called from any thread at any time; a search sees every `put` and `remove` that
    returned before it began. Vectors are of one engine: `dim` is fixed when the index is opened.
    """

    @property
    def sequence(self) -> int:
        """The catalog sequence up to which changes were applied; 0 for an empty index."""
        ...

    def __len__(self) -> int:
        """Number of keys that can be found."""
        ...

    def put(self, keys: Keys, vectors: Vectors, artists: Keys) -> None:
        """Add `(n,)` keys with their `(n, dim)` unit rows and `(n,)` artist numbers.

        A key that is present, or was removed, is left as it is, so replaying changes twice does no harm.

        Raises:
            BadRequest: shapes disagree, a row is not a finite unit vector, or a key is negative.
            StoreError: the index cannot take them; none were added.
        """
        ...

    def remove(self, keys: Keys) -> int:
        """Make `keys` unfindable for good and return how many were there. Unknown keys are ignored."""
        ...

    def advance(self, sequence: int) -> None:
        """Note that all changes up to `sequence` have been applied; it never goes back."""
        ...

    def search(self, vectors: Vectors, k: int, *, where: Filter | None = None) -> Neighbors:
        """Return for each of `(n, dim)` unit rows the `k` keys of highest cosine similarity, 1 <= k <= 1000.

        The best come first; equal scores in any order. Blocks, with the GIL released.

        Raises:
            BadRequest: shapes disagree or `k` is out of range.
            StoreError: the index did not answer.
        """
        ...

    def clear(self) -> None:
        """Forget everything, durable parts too: `len` and `sequence` are 0 again, and keys may come back.

        A search that runs meanwhile sees the old content, the empty index or a part of the old content.

        Raises:
            StoreError: files could not be removed.
        """
        ...

    def checkpoint(self) -> None:
        """Make what was applied durable where the index keeps files, so that a restart replays less."""
        ...

    def stats(self) -> Mapping[str, JsonValue]:
        """Sizes and states for operators: segments, tail, tombstones, bytes."""
        ...

    def close(self) -> None:
        """Stop background work and release files. Closing twice is allowed."""
        ...
