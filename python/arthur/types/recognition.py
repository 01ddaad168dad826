"""What is asked about a photo, and the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from arthur.types.names import DecisionKind, Metadata, VerifyMode, ViewId


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


Quad: TypeAlias = tuple[tuple[float, float], ...]
"""Four corners (x, y) in pixels of a photo after EXIF orientation: the work's top left first, then clockwise."""


@dataclass(frozen=True, slots=True)
class Match:
    """One entry of the catalogue as an answer, by its best view.

    Attributes:
        score: cosine similarity of the whole photo and the view.
        probability: that the photo shows this entry, 0..1.
        decision: about this entry; a photo can show several works.
        inliers: features of the photo that one perspective lays onto the view; None when geometry was not consulted.
        coverage: share of the view's area that they cover, 0..1; None likewise.
        quad: where the work is in the photo; None when geometry did not find it.
        frame: place of the photo that `quad` belongs to, where several photos of one work were given.
    """

    view: ViewId
    score: float
    probability: float
    metadata: Metadata
    decision: DecisionKind = "unsure"
    inliers: int | None = None
    coverage: float | None = None
    quad: Quad | None = None
    frame: int = 0


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
        skipped: closer looks that were not taken: they were not needed, not wanted, or there was no time.
        timings_ms: milliseconds by stage.
        passport: id of the passport of the engine as it ran; "" where it has none.
    """

    decision: DecisionKind
    probability: float
    reasons: tuple[str, ...]
    matches: tuple[Match, ...]
    engine: str
    catalog_seq: int
    degraded: bool
    skipped: tuple[str, ...]
    timings_ms: Mapping[str, float]
    passport: str = ""
