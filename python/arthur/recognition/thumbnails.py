"""The enrolled picture of a view, small, as the blob store keeps it."""

from __future__ import annotations

from arthur.errors import ArthurError
from arthur.pictures import thumbnail_name
from arthur.recognition.geometry import Rgb
from arthur.recognition.parts import Parts
from arthur.types import StoredView


def thumbnail(parts: Parts, stored: StoredView, *, side: int) -> Rgb | None:
    """Return the thumbnail, (h, w, 3) uint8 RGB with its longest side at most `side`; None when it cannot be had."""
    try:
        data = parts.blobs.read(thumbnail_name(stored))
        return None if data is None else parts.decoder(data, 8, preview_side=side).preview
    except ArthurError:
        return None
