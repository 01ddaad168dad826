"""Port of the blob store: originals and thumbnails, as opaque bytes by name."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Blobs"]


class Blobs(Protocol):
    """Bytes by name ("thumbnails/ab/abcd...jpg"). Callable from any thread; every method blocks.

    Any method raises StoreError when the store does not answer or cannot write.
    """

    def put(self, name: str, data: bytes) -> None:
        """Store `data` under `name`, whole or not at all, replacing what was there."""
        ...

    def read(self, name: str) -> bytes | None:
        """Return the bytes, or None when there is no such blob."""
        ...

    def remove(self, name: str) -> None:
        """Remove a blob; a missing one is not an error."""
        ...

    def ping(self) -> None:
        """Return if the store answers."""
        ...
