"""Port of the blob store: originals and thumbnails, as opaque bytes by name."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Blobs", "open_blobs"]


class Blobs(Protocol):
    """Bytes by name ("thumbnails/ab/abcd...jpg"). Callable from any thread; every method blocks.

    Names are of letters, digits, "_", "-" and "." between slashes, no part beginning with a dot or dash; any other
    raises BadRequest. Any method raises StoreError when the store does not answer or cannot write.
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


def open_blobs(url: str) -> Blobs:
    """Open a blob store.

    `file:///absolute/folder` (made if missing), `memory:///` for this process, or `s3://bucket/prefix`,
    `gs://bucket/prefix`, `az://container/prefix` with credentials from that cloud's usual environment variables.

    Raises:
        ConfigError: the URL is not of a known form, or the folder cannot be made.
    """
    # Imported here: the port must not need its adapters.
    from arthur.blobs.object_store import ObjectBlobs, open_object_store

    return ObjectBlobs(open_object_store(url))
