"""Port of the match log: what was answered, as hashes and ids. It has no place in the catalogue's sequence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from arthur.types import LoggedMatch

__all__ = ["MatchLog"]


class MatchLog(Protocol):
    """Answers to photos. Every method may be called from any thread, and blocks.

    An answer about an entry goes when the entry does. Any method raises StoreError as those of Catalog do.
    """

    def put(self, answers: Sequence[LoggedMatch]) -> None:
        """Put answers in one transaction; those about an entry that is no longer there are left out.

        Hashes of photos are hashed again with a random secret of the UTC day, which is forgotten when the next day has
        ended: from then on nobody can try whether a picture was asked about, not even with the whole database.
        """
        ...

    def rows(self, *, since_us: int, limit: int, only: Sequence[str] | None = None) -> Iterator[LoggedMatch]:
        """Give up to `limit` answers since then, newest first; `only` those about entries of these artists.

        Read page by page, each a transaction of its own: memory is bounded, and writers never wait.
        """
        ...

    def forget(self, before_us: int, *, now_us: int) -> int:
        """Remove the answers that were given before, and return how many; secrets of ended days go, too."""
        ...
