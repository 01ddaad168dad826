"""The frozen values that cross module borders, and the array types they are made of."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from arthur.errors import BadRequest

Pixels: TypeAlias = NDArray[np.uint8]
"""(n, side, side, 3) RGB, C-contiguous, 0..255."""
Vectors: TypeAlias = NDArray[np.float32]
"""(n, dim) unit rows."""
Keys: TypeAlias = NDArray[np.int64]
"""(n,) view keys, 0 <= key < 2**63."""

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"
Metadata: TypeAlias = Mapping[str, JsonValue]

DecisionKind: TypeAlias = Literal["match", "unsure", "no_match"]
Fit: TypeAlias = Literal["crop", "stretch"]
"""How a picture becomes a square: shorter side to `side` and centre crop, or both sides to `side`."""
VerifyMode: TypeAlias = Literal["auto", "always", "never"]

_DNS_NAMESPACE = uuid.UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")


@dataclass(frozen=True, slots=True, order=True)
class ViewId:
    """Name of one picture: artist > entry > view. Parts are kept as given: not trimmed, not case-folded."""

    artist_id: str
    entry_id: str
    view_id: str

    def __post_init__(self) -> None:
        """Refuse blank parts.

        Raises:
            BadRequest: a part is empty or only white space, or holds a NUL or a lone surrogate.
        """
        for name in ("artist_id", "entry_id", "view_id"):
            check_id(getattr(self, name), name)

    @property
    def hierarchical(self) -> str:
        """`artist.entry.view`, the name legacy clients use."""
        return f"{self.artist_id}.{self.entry_id}.{self.view_id}"

    @property
    def vector_id(self) -> str:
        """UUIDv5 of the hierarchical id in the DNS namespace, lower case."""
        return str(uuid.uuid5(_DNS_NAMESPACE, self.hierarchical))


def check_id(part: str, name: str) -> str:
    """Return `part` if it can name an artist, entry or view.

    Raises:
        BadRequest: it is blank, longer than 512 characters, or cannot be stored as UTF-8 text.
    """
    if not part.strip():
        raise BadRequest(f"{name} must not be blank")
    if len(part) > 512:
        raise BadRequest(f"{name} is longer than 512 characters")
    if "\0" in part or (not part.isascii() and any("\ud800" <= c <= "\udfff" for c in part)):
        raise BadRequest(f"{name} holds characters that cannot be stored")
    return part


@dataclass(frozen=True, slots=True)
class Neighbors:
    """Answer of an index: for each query row the best `k` keys, best first.

    Attributes:
        keys: (n, k) int64, padded with -1 where fewer than `k` were found.
        scores: (n, k) float32 cosine similarity or votes, padded with -inf.
    """

    keys: Keys
    scores: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class LocalQuery:
    """Local features of a photo, as a local index looks for them: n features with `a` nearest visual words each.

    Attributes:
        words: (n, a) uint16, nearest first; 1 to 8 of them.
        signatures: (n, a) uint64 binary signatures, each relative to its word.
        points: (n, 2) float32 x and y, pixels.
        scales: (n,) float32 sizes, pixels.
        angles: (n,) float32 radians, from the x axis towards the y axis, which points down.
    """

    words: NDArray[np.uint16]
    signatures: NDArray[np.uint64]
    points: NDArray[np.float32]
    scales: NDArray[np.float32]
    angles: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Refuse arrays that disagree.

        Raises:
            BadRequest: a shape or a type is not the promised one, a number is not finite, or a scale not positive.
        """
        n, a = self.words.shape if self.words.ndim == 2 else (-1, 0)
        places = [self.points, self.scales, self.angles]
        shapes = [self.words.shape, self.signatures.shape, *(part.shape for part in places)]
        if shapes != [(n, a), (n, a), (n, 2), (n,), (n,)] or not 1 <= a <= 8 or n > 4096:
            raise BadRequest("the arrays of a local query must be of the same length, with 1 to 8 words a feature")
        types = [self.words.dtype, self.signatures.dtype, *(part.dtype for part in places)]
        if types != [np.uint16, np.uint64, np.float32, np.float32, np.float32]:
            raise BadRequest("the arrays of a local query must be uint16, uint64 and float32")
        if not all(np.isfinite(part).all() for part in places) or not (self.scales > 0).all():
            raise BadRequest("points, scales and angles of a local query must be finite, and scales positive")

    def __len__(self) -> int:
        """Number of features."""
        return len(self.scales)


@dataclass(frozen=True, slots=True)
class Filter:
    """Restricts a search to views of these artists, given by their catalog numbers. Empty matches nothing."""

    artists: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """What a caller asks of `Recognizer.recognize`.

    Attributes:
        k: entries wanted, 1..100.
        artist_ids: search only these artists; empty searches all.
        min_score: drop entries whose score is lower; None keeps all.
        max_false_accept: highest accepted probability that a `match` is wrong; None takes the setting.
        verify: whether geometry may, must or must not be consulted.
        deadline_ms: time after which the best answer so far is given, or DeadlineExceeded raised.
    """

    k: int = 10
    artist_ids: tuple[str, ...] = ()
    min_score: float | None = None
    max_false_accept: float | None = None
    verify: VerifyMode = "auto"
    deadline_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """One entry of the catalogue as an answer, by its best view. `score` is cosine similarity."""

    view: ViewId
    score: float
    probability: float
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class Recognition:
    """Answer to one photo.

    Attributes:
        decision: match, unsure or no_match, for the best entry.
        probability: that the best entry is the photographed work, 0..1.
        reasons: short sentences a client can show.
        matches: one row per entry, best first; may be empty.
        engine: label of the engine's fingerprint.
        catalog_seq: the catalogue's sequence that this answer has seen.
        degraded: a part failed and the answer was made without it.
        timings_ms: milliseconds by stage.
    """

    decision: DecisionKind
    probability: float
    reasons: tuple[str, ...]
    matches: tuple[Match, ...]
    engine: str
    catalog_seq: int
    degraded: bool
    timings_ms: Mapping[str, float]


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
class Counts:
    """Size of the catalogue."""

    artists: int
    entries: int
    views: int
