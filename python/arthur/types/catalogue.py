"""Views as the catalog keeps them, and its history."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from arthur.types.names import Keys, Metadata, Vectors, ViewId


@dataclass(frozen=True, slots=True)
class LocalFeatures:
    """Local features of one picture, packed by the verifier of that fingerprint; see `arthur.verify`."""

    fingerprint: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Passport:
    """What made a vector: the engine, its files, and what it ran in.

    Attributes:
        id: 16 hex digits that follow from the document.
        document: canonical JSON.
        source: the folder from which the engine was loaded; no part of the document, nor of the id.
    """

    id: str
    document: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class KnownEngine:
    """An engine of which the catalog has vectors, or had some.

    Attributes:
        fingerprint, dim: of the engine.
        source: the folder from which it was last loaded; "" where nobody told.
        vectors: how many live views it embedded.
        in_force: whether the catalogue is answered by it.
        previous: whether it was before the one in force.
    """

    fingerprint: str
    dim: int
    source: str
    vectors: int
    in_force: bool
    previous: bool


@dataclass(frozen=True, slots=True)
class NewView:
    """A view to be put into the catalog, with its vector.

    Attributes:
        vector: (dim,) float32 unit row.
        fingerprint: of the engine that made the vector.
        content_hash: BLAKE3 of the picture's bytes, hex.
        source: the URL or file it came from, or "" for an upload.
        format: "jpeg", "png", ... as the decoder named it.
        width, height: of the picture after EXIF orientation, pixels.
        size_bytes: of the encoded picture.
        features: for the local index and geometric verification; None when there is no verifier.
        passport: of the engine as it ran; None where it has none.
    """

    view: ViewId
    vector: NDArray[np.float32]
    fingerprint: str
    content_hash: str
    source: str
    format: str
    width: int
    height: int
    size_bytes: int
    metadata: Metadata = field(default_factory=dict)
    features: LocalFeatures | None = None
    passport: Passport | None = None


@dataclass(frozen=True, slots=True)
class StoredView:
    """A view as the catalog keeps it. `key` changes with each new version of the view and is never reused."""

    key: int
    view: ViewId
    vector_id: str
    content_hash: str
    source: str
    format: str
    width: int
    height: int
    size_bytes: int
    metadata: Metadata
    created_at: datetime
    updated_at: datetime


LikenessKind: TypeAlias = Literal["confusable", "duplicate"]
"""Works that recognition can hardly tell apart, or the same picture enrolled under two names."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """Two views of different entries that look alike, by their keys.

    Attributes:
        key, other: of the views, in any order.
        probability: that a photo of one would be taken for the other, were only that one enrolled.
        score: cosine similarity of the two.
        inliers, coverage: as in Match; None without geometry.
    """

    key: int
    other: int
    kind: LikenessKind
    probability: float
    score: float
    inliers: int | None = None
    coverage: float | None = None


@dataclass(frozen=True, slots=True)
class StoredLikeness:
    """A Likeness with its views as the catalog keeps them; `newer` was put after `older`."""

    newer: StoredView
    older: StoredView
    kind: LikenessKind
    probability: float
    score: float
    inliers: int | None
    coverage: float | None


@dataclass(frozen=True, slots=True)
class Put:
    """Outcome of one put: the stored view, and the key of the version it replaced (None when it is new)."""

    stored: StoredView
    replaced_key: int | None

    @property
    def created(self) -> bool:
        """Whether no view of that name was there before."""
        return self.replaced_key is None


@dataclass(frozen=True, slots=True)
class Changes:
    """A stretch of the catalog's history for one engine, to be applied in this order: removed, then put.

    Attributes:
        keys, vectors, artists: views that are live now and were put after `since`: (n,), (n, dim), (n,) int64.
        removed: keys that ended after `since`.
        upto: the sequence that a follower has reached once it applied this; equals `latest()` when `more` is False.
        more: whether further changes follow.
    """

    keys: Keys
    vectors: Vectors
    artists: Keys
    removed: Keys
    upto: int
    more: bool


@dataclass(frozen=True, slots=True)
class FeatureChanges:
    """As Changes, with the packed local features of one verifier instead of vectors: `features` has (n,) of them."""

    keys: Keys
    features: tuple[bytes, ...]
    artists: Keys
    removed: Keys
    upto: int
    more: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """Size of the catalogue."""

    artists: int
    entries: int
    views: int
