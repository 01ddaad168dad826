"""Thumbnails and originals in the blob store: derived from the catalog's point of view, named by its keys.

They are written after the catalog's commit, because their names hold the key, and before the write is answered. A
fault here never undoes the write: it is logged and counted, and the view is then without its picture.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Literal, Protocol, TypeAlias

import numpy as np
import structlog
from numpy.typing import NDArray
from PIL import Image

from arthur.blobs import Blobs
from arthur.catalog import Catalog
from arthur.decode import ImageDecoder
from arthur.errors import InvalidImage, StoreError
from arthur.types import Put, ViewId

log = structlog.get_logger(__name__)

PictureKind: TypeAlias = Literal["original", "thumbnail"]
"""The file as it was enrolled, or the small JPEG made of it."""

_QUALITY = 85
_PAGE = 1000


class Named(Protocol):
    """What a blob is named by; every StoredView has it."""

    @property
    def vector_id(self) -> str:
        """Of the view."""
        ...

    @property
    def key(self) -> int:
        """Of the version of the view."""
        ...


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a view, also when it is no longer in the catalog."""

    vector_id: str
    key: int


def versions(catalog: Catalog, artist_id: str, entry_id: str | None, view_id: str | None) -> Iterator[Version]:
    """Give the versions that a removal of a view, an entry or an artist would end."""
    if entry_id is not None and view_id is not None:
        stored = catalog.view(ViewId(artist_id, entry_id, view_id))
        if stored is not None:
            yield Version(stored.vector_id, stored.key)
        return
    cursor, first = None, True
    while first or cursor is not None:
        page = catalog.views_of(artist_id, entry_id, cursor=cursor, limit=_PAGE)
        yield from (Version(stored.vector_id, stored.key) for stored in page.rows)
        cursor, first = page.next_cursor, False


def thumbnail_name(stored: Named) -> str:
    """Return the name of a view's thumbnail, a JPEG."""
    return f"thumbnails/{stored.vector_id}/{stored.key}.jpg"


def original_name(stored: Named) -> str:
    """Return the name of a view's picture as it was enrolled."""
    return f"originals/{stored.vector_id}/{stored.key}"


def kept(blobs: Blobs, stored: Named) -> Iterator[tuple[PictureKind, bytes]]:
    """Give what is kept of a view's picture, best first.

    Raises:
        StoreError: the blob store does not answer.
    """
    names: tuple[tuple[PictureKind, str], ...] = (
        ("original", original_name(stored)),
        ("thumbnail", thumbnail_name(stored)),
    )
    for kind, name in names:
        data = blobs.read(name)
        if data is not None:
            yield kind, data


def kept_preview(blobs: Blobs, decoder: ImageDecoder, stored: Named, *, side: int) -> NDArray[np.uint8] | None:
    """Return the best kept picture of a view that can be read, or None.

    It is (h, w, 3) uint8 RGB with its longest side at most `side`. A store that does not answer has none.
    """
    with suppress(StoreError):
        for _, data in kept(blobs, stored):
            with suppress(InvalidImage):
                return decoder(data, 8, preview_side=side).preview
    return None


def jpeg(preview: NDArray[np.uint8]) -> bytes:
    """Return an `(h, w, 3)` uint8 RGB picture as JPEG."""
    encoded = io.BytesIO()
    Image.fromarray(preview).save(encoded, "JPEG", quality=_QUALITY)
    return encoded.getvalue()


class Pictures:
    """Keeps the pictures of views. Callable from any thread; no method raises for a fault of the store."""

    def __init__(self, blobs: Blobs, *, keep_originals: bool) -> None:
        self._blobs = blobs
        self._keep_originals = keep_originals
        self._tally = count(1)
        self._failures = 0

    @property
    def failures(self) -> int:
        """Pictures that could not be written or removed since the start."""
        return self._failures

    def keep(self, put: Put, image: bytes, thumbnail: bytes | None) -> None:
        """Write the pictures of a view that was just put, and remove those of the version it replaced."""
        if thumbnail is not None:
            self._write(thumbnail_name(put.stored), thumbnail)
        if self._keep_originals:
            self._write(original_name(put.stored), image)
        if put.replaced_key is not None:
            self.drop([Version(put.stored.vector_id, put.replaced_key)])

    def drop(self, ended: Iterable[Named]) -> None:
        """Remove the pictures of versions that ended."""
        for stored in ended:
            for name in (thumbnail_name(stored), original_name(stored)):
                try:
                    self._blobs.remove(name)
                except StoreError as error:
                    self._failed(name, error)

    def _write(self, name: str, data: bytes) -> None:
        try:
            self._blobs.put(name, data)
        except StoreError as error:
            self._failed(name, error)

    def _failed(self, name: str, error: StoreError) -> None:
        self._failures = next(self._tally)
        log.error("picture_failed", blob=name, error=str(error))
