"""What `/api/v1` answers, as the API page describes it. A test holds the answers against these models."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from arthur.types import DecisionKind
from arthur.web.job_schemas import JobOut

Score = Annotated[float, Field(ge=-1, le=1, description="Cosine similarity; higher is better")]
Probability = Annotated[float, Field(ge=0, le=1)]


class MatchOut(BaseModel):
    """One entry of the catalogue, by its best view."""

    artist_id: str
    entry_id: str
    view_id: str
    vector_id: str
    score: Score
    probability: Probability
    inliers: Annotated[
        int | None, Field(description="Features of the photo that one perspective lays onto the view; null: not looked")
    ]
    coverage: Annotated[float | None, Field(ge=0, le=1, description="Share of the view's area that they cover")]
    quad: Annotated[
        list[tuple[float, float]] | None,
        Field(description="The work's corners in the photo, pixels, from its top left"),
    ]
    thumbnail: str
    metadata: dict[str, JsonValue]
    decision: DecisionKind
    frame: Annotated[int, Field(description="Which of several photos `quad` belongs to, from 0")]


class RecognitionOut(BaseModel):
    """The answer to one photo."""

    decision: DecisionKind
    probability: Probability
    reasons: list[str]
    matches: list[MatchOut]
    engine: Annotated[str, Field(description="Name and fingerprint of the engine")]
    passport: Annotated[str, Field(description="Id of the engine's passport; `/api/v1/status` shows the whole of it")]
    catalog_seq: int
    degraded: bool
    skipped: Annotated[list[str], Field(description="Closer looks that were not needed, not wanted, or had no time")]
    timings_ms: dict[str, float]
    request_id: str


class PhotoOut(RecognitionOut):
    """The answer to one photo, or to several of one work."""

    overlay: Annotated[
        str | None, Field(description="JPEG of the photo with the works that were found, as a data URL; on request")
    ] = None


class BatchError(BaseModel):
    """Why one picture of a batch has no answer."""

    type: str
    title: str
    status: int
    detail: str


class BatchAnswer(RecognitionOut):
    """The answer to one photo of a batch."""

    id: str


class BatchFailure(BaseModel):
    """A photo of a batch without an answer."""

    id: str
    error: BatchError


class BatchOut(BaseModel):
    """Answers and failures, in the order of the pictures."""

    results: list[BatchAnswer | BatchFailure]
    request_id: str


class ViewOut(BaseModel):
    """A stored view. `key` is its version."""

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
    metadata: dict[str, JsonValue]
    created_at: str
    updated_at: str
    thumbnail: str


class SimilarOut(BaseModel):
    """Entries like a stored view, its own left out, best first."""

    view: ViewOut
    matches: list[MatchOut]
    request_id: str


class HitOut(BaseModel):
    """One entry of the catalogue that is near a question, by its best view."""

    artist_id: str
    entry_id: str
    view_id: str
    vector_id: str
    score: Score
    thumbnail: str
    metadata: dict[str, JsonValue]


class SearchOut(BaseModel):
    """Entries nearest to a question, best first. A text is never as near to a picture as another picture is."""

    hits: list[HitOut]
    engine: Annotated[str, Field(description="Name and fingerprint of the engine")]
    passport: Annotated[str, Field(description="Id of the engine's passport; `/api/v1/status` shows the whole of it")]
    catalog_seq: int
    degraded: bool
    timings_ms: dict[str, float]
    request_id: str


class ArtistOut(BaseModel):
    """An artist and how much there is of it."""

    artist_id: str
    entries: int
    views: int


class EntryOut(BaseModel):
    """An entry and how many views it has."""

    artist_id: str
    entry_id: str
    views: int


class ArtistsOut(BaseModel):
    """One page of artists."""

    artists: list[ArtistOut]
    next_cursor: str | None


class EntriesOut(BaseModel):
    """One page of entries."""

    entries: list[EntryOut]
    next_cursor: str | None


class ViewsOut(BaseModel):
    """One page of views."""

    views: list[ViewOut]
    next_cursor: str | None


class LikenessOut(BaseModel):
    """Two views of different entries that look alike."""

    newer: ViewOut
    older: ViewOut
    probability: Annotated[float, Field(ge=0, le=1, description="That one would be taken for the other")]
    score: Score
    inliers: int | None
    coverage: float | None


class LikenessesOut(BaseModel):
    """One page of pairs."""

    pairs: list[LikenessOut]
    next_cursor: str | None


class RemovedOut(BaseModel):
    """How many views were removed."""

    removed: int


class ProgressOut(BaseModel):
    """How far a rebuild of the index is; also each message of the WebSocket `/ws/index-progress`, for imports too.

    Of an import `job` tells more: what `GET /api/v1/jobs/{job_id}` does, as of the last change.
    """

    state: Literal["idle", "running", "done", "failed"]
    stage: str
    done: int
    total: int
    at: Annotated[float, Field(description="Seconds since 1970")]
    job: JobOut | None = None


class CatalogOut(BaseModel):
    """How much there is."""

    artists: int
    entries: int
    views: int


class PassportOut(BaseModel):
    """What the engine is and runs in, on the worker that answers."""

    model_config = ConfigDict(extra="allow")

    id: str
    engine: str
    fingerprint: str
    graph_sha256: str
    weights_sha256: Annotated[str | None, Field(description="null: they are part of the graph, and nobody told theirs")]
    precision: str
    runtime: str
    device: str
    parity: Annotated[
        dict[str, float], Field(description="What was measured against golden vectors and full precision")
    ]


class StatusOut(BaseModel):
    """How Arthur is. Further members describe the parts."""

    model_config = ConfigDict(extra="allow")

    status: Literal["ok", "degraded"]
    version: str
    engine: str
    passport: PassportOut | None
    catalog: CatalogOut | None
    index_progress: ProgressOut | None


class ProbeOut(BaseModel):
    """A probe's answer."""

    status: Literal["ok", "ready"]


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
