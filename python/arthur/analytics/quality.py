"""How good an artist's pictures are for recognition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arthur.blobs import Blobs
from arthur.catalog import Catalog
from arthur.pictures import thumbnail_name
from arthur.types import StoredView
from arthur.verify.packed import unpack

__all__ = ["FEW_FEATURES", "SMALL_SIDE", "Quality", "quality_of"]

SMALL_SIDE = 256
"""Pixels: a view whose shorter side has fewer is small."""
FEW_FEATURES = 50
"""Of the up to 248 local features that a view can have: geometry finds little to hold on to in one with fewer."""


@dataclass(frozen=True, slots=True)
class Quality:
    """What was found at some of an artist's views.

    Attributes:
        looked_at: how many views these are, taken evenly over all.
        small: how many have a side of less than SMALL_SIDE pixels.
        thumbnails_missing: how many have none in the blob store.
        features_few: how many have fewer than FEW_FEATURES, or none; None without a verifier.
    """

    looked_at: int
    small: int
    thumbnails_missing: int
    features_few: int | None


def quality_of(catalog: Catalog, blobs: Blobs, views: Sequence[StoredView], *, verifier: str | None) -> Quality:
    """Look at views, and at what is kept of them for the verifier of that fingerprint.

    Raises:
        StoreError: the catalog or the blob store did not answer.
    """
    return Quality(
        looked_at=len(views),
        small=sum(min(one.width, one.height) < SMALL_SIDE for one in views),
        thumbnails_missing=sum(blobs.read(thumbnail_name(one)) is None for one in views),
        features_few=None if verifier is None else _few(catalog, views, verifier),
    )


def _few(catalog: Catalog, views: Sequence[StoredView], verifier: str) -> int:
    """Count the views with few features."""
    found = catalog.features(np.array([one.key for one in views], np.int64), verifier)
    return len(views) - sum(len(unpack(data)) >= FEW_FEATURES for data in found.values())
