"""What the server answers, as frozen values. Members that this client does not know are passed over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

Decision: TypeAlias = Literal["match", "unsure", "no_match"]
Quad: TypeAlias = tuple[tuple[float, float], ...]
"""Four corners (x, y) in pixels of the photo after EXIF orientation: the work's top left first, then clockwise."""
Metadata: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Match:
    """One entry of the catalogue, by its best view.

    Attributes:
        score: cosine similarity of the photo and the view, -1..1.
        probability: that the photo shows this entry, 0..1.
        decision: about this entry; a photo can show several works.
        inliers, coverage: what geometry found; None where it was not consulted.
        quad: where the work is, in pixels of the photo as it was given, also when it was made smaller for the way.
        frame: which of several photos `quad` belongs to.
        thumbnail: path of the view's thumbnail; see `Client.thumbnail`.
    """

    artist_id: str
    entry_id: str
    view_id: str
    vector_id: str
    score: float
    probability: float
    inliers: int | None
    coverage: float | None
    quad: Quad | None
    thumbnail: str
    metadata: Metadata
    decision: Decision
    frame: int = 0

    @property
    def name(self) -> tuple[str, str, str]:
        """The view's name: artist, entry, view."""
        return self.artist_id, self.entry_id, self.view_id


@dataclass(frozen=True, slots=True)
class Recognition:
    """The answer to one photo, or to several of one work.

    Attributes:
        decision, probability: about the best entry.
        reasons: short sentences that can be shown to people.
        matches: one row for each entry, best first; may be empty.
        engine: label of the engine that made the vectors.
        catalog_seq: the catalogue's sequence that this answer has seen.
        degraded: a part failed, and the answer was made without it.
        skipped: closer looks that were not needed, not wanted, or had no time.
        timings_ms: the server's milliseconds by stage.
        request_id: by which the server's log knows it.
        overlay: the photo with what was found drawn on it, as a data URL, when that was asked for.
    """

    decision: Decision
    probability: float
    reasons: tuple[str, ...]
    matches: tuple[Match, ...]
    engine: str
    catalog_seq: int
    degraded: bool
    skipped: tuple[str, ...]
    timings_ms: Mapping[str, float]
    request_id: str
    overlay: str | None = None

    @property
    def best(self) -> Match | None:
        """The best entry if the server calls it a match, else None."""
        return self.matches[0] if self.decision == "match" and self.matches else None


@dataclass(frozen=True, slots=True)
class View:
    """A stored view.

    Attributes:
        key: its version; each put makes a new one.
        width, height: pixels, after EXIF orientation.
        content_hash: BLAKE3 of the picture's bytes, hex.
        source: the URL it came from, or "".
    """

    artist_id: str
    entry_id: str
    view_id: str
    vector_id: str
    key: int
    format: str
    width: int
    height: int
    size_bytes: int
    content_hash: str
    source: str
    metadata: Metadata
    created_at: datetime
    updated_at: datetime
    thumbnail: str

    @property
    def name(self) -> tuple[str, str, str]:
        """Artist, entry, view."""
        return self.artist_id, self.entry_id, self.view_id


@dataclass(frozen=True, slots=True)
class Similar:
    """Entries like a stored view, its own left out, best first."""

    view: View
    matches: tuple[Match, ...]
    request_id: str


@dataclass(frozen=True, slots=True)
class Hit:
    """One entry near a question, by its best view. `score` is a cosine similarity; words are far from any picture."""

    artist_id: str
    entry_id: str
    view_id: str
    vector_id: str
    score: float
    thumbnail: str
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """Entries nearest to a question, best first."""

    hits: tuple[Hit, ...]
    engine: str
    catalog_seq: int
    degraded: bool
    timings_ms: Mapping[str, float]
    request_id: str


@dataclass(frozen=True, slots=True)
class Artist:
    """An artist and how much there is of it."""

    artist_id: str
    entries: int
    views: int


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry and how many views it has."""

    artist_id: str
    entry_id: str
    views: int


@dataclass(frozen=True, slots=True)
class Likeness:
    """Two views of different entries that look alike; `probability` that one would be taken for the other."""

    newer: View
    older: View
    probability: float
    score: float
    inliers: int | None
    coverage: float | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the index is; `at` in seconds since 1970."""

    state: Literal["idle", "running", "done", "failed"]
    stage: str
    done: int
    total: int
    at: float


@dataclass(frozen=True, slots=True)
class CatalogSize:
    """How much there is in the catalogue."""

    artists: int
    entries: int
    views: int


@dataclass(frozen=True, slots=True)
class Status:
    """How the server is; None for what does not answer. `parts` has all members that describe the parts, as sent."""

    status: Literal["ok", "degraded"]
    version: str
    catalog: CatalogSize | None
    index_progress: Progress | None
    parts: Mapping[str, object]
