"""The JSON of `/api/v1`: what is read is checked by these models, and the API page is made of them all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, ValidationError

from arthur.errors import BadRequest
from arthur.types import DecisionKind, VerifyMode

MAX_BATCH = 64
MAX_FRAMES = 8

Model = TypeVar("Model", bound=BaseModel)


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Artists = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=512)]],
    BeforeValidator(_listed),
    Field(default_factory=list, max_length=100, description="Search only these artists; repeat for several"),
]
Score = Annotated[float, Field(ge=-1, le=1, description="Cosine similarity; higher is better")]
MinScore = Annotated[
    float | None, Field(ge=-1, le=1, allow_inf_nan=False, description="Leave out entries below this score")
]
Probability = Annotated[float, Field(ge=0, le=1)]
K = Annotated[int, Field(ge=1, le=100, description="Entries wanted")]


class Lenient(BaseModel):
    """A model of what is read: names it does not know are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class SimilarParams(Lenient):
    """How to search for entries like a stored view."""

    k: K = 10
    artist_id: Artists
    min_score: MinScore = None


class MatchParams(SimilarParams):
    """How to recognize."""

    max_false_accept: Annotated[
        float | None, Field(gt=0, lt=1, allow_inf_nan=False, description="Accepted probability that a match is wrong")
    ] = None
    verify: VerifyMode = "auto"
    deadline_ms: Annotated[
        float | None, Field(gt=0, le=600_000, allow_inf_nan=False, description="Time for the answer, milliseconds")
    ] = None


class PageParams(Lenient):
    """Which part of a list."""

    cursor: Annotated[str | None, Field(max_length=2048, description="`next_cursor` of the page before")] = None
    limit: Annotated[int, Field(ge=1, le=1000, description="Rows wanted")] = 100


class RebuildParams(Lenient):
    """Whether to wait."""

    wait: Annotated[bool, Field(description="Answer when the rebuild has ended")] = False


class ImageSource(Lenient):
    """A picture: exactly one of its two members."""

    image_url: Annotated[str | None, Field(examples=["https://example.org/photo.jpg"])] = None
    image_base64: Annotated[str | None, Field(description="Standard base64, or a data URL")] = None


class MatchJson(MatchParams, ImageSource):
    """A picture and how to recognize it."""


class MatchForm(MatchParams):
    """`image`, repeated for several frames of one artwork, and the parameters as fields."""

    image: Annotated[list[bytes], Field(min_length=1, max_length=MAX_FRAMES)]


class BatchItem(ImageSource):
    """One picture of a batch; `id` comes back with its answer."""

    id: Annotated[str | None, Field(max_length=512)] = None


class BatchJson(MatchParams):
    """Pictures that are recognized one by one."""

    images: Annotated[list[BatchItem], Field(min_length=1, max_length=MAX_BATCH)]


class BatchForm(MatchParams):
    """`image`, repeated; the file names come back as ids."""

    image: Annotated[list[bytes], Field(min_length=1, max_length=MAX_BATCH)]


class ViewParams(Lenient):
    """What is kept beside a view."""

    metadata: Annotated[dict[str, JsonValue] | None, Field(description="A JSON object")] = None


class ViewQuery(Lenient):
    """What is kept beside a view, when its picture is the whole body."""

    metadata: Annotated[str | None, Field(description="A JSON object, as text")] = None


class ViewJson(ViewParams, ImageSource):
    """A picture and what is kept beside it."""


class ViewForm(Lenient):
    """One `image`; every other field is kept as metadata, and `metadata` may be a JSON object."""

    image: bytes
    metadata: str | None = None


class MatchOut(BaseModel):
    """One entry of the catalogue, by its best view."""

    artist_id: str
    entry_id: str
    view_id: str
    vector_id: str
    score: Score
    probability: Probability
    inliers: int | None
    coverage: float | None
    quad: list[tuple[float, float]] | None
    thumbnail: str
    metadata: dict[str, JsonValue]


class RecognitionOut(BaseModel):
    """The answer to one photo."""

    decision: DecisionKind
    probability: Probability
    reasons: list[str]
    matches: list[MatchOut]
    engine: str
    catalog_seq: int
    degraded: bool
    timings_ms: dict[str, float]
    request_id: str


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


class RemovedOut(BaseModel):
    """How many views were removed."""

    removed: int


class GrowthOut(BaseModel):
    """Views that were new on a day, and how many there were at its end."""

    day: str
    views: int
    total: int


class AnalyticsOut(BaseModel):
    """An artist in numbers."""

    artist_id: str
    entries: int
    views: int
    formats: dict[str, int]
    size_bytes: int
    pixels: dict[str, int]
    views_per_entry: dict[str, int]
    first_at: str
    last_at: str
    growth: list[GrowthOut]


class ProgressOut(BaseModel):
    """How far the index is; also each message of the WebSocket `/ws/index-progress`."""

    state: Literal["idle", "running", "done", "failed"]
    stage: str
    done: int
    total: int
    at: Annotated[float, Field(description="Seconds since 1970")]


class CatalogOut(BaseModel):
    """How much there is."""

    artists: int
    entries: int
    views: int


class StatusOut(BaseModel):
    """How Arthur is. Further members describe the parts."""

    model_config = ConfigDict(extra="allow")

    status: Literal["ok", "degraded"]
    version: str
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


def read_model(model: type[Model], given: Mapping[str, object]) -> Model:
    """Check what a caller gave.

    Raises:
        BadRequest: a member is missing, out of range or of another type; the message names it.
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadRequest(f"{where}: {first['msg']}") from error


def query_model(model: type[Model], query: Mapping[str, tuple[str, ...]]) -> Model:
    """Check query parameters or form fields. See read_model."""
    return read_model(model, flat(model, query))


def flat(model: type[BaseModel], pairs: Mapping[str, tuple[str, ...]]) -> dict[str, object]:
    """Return the members that `model` knows; where it takes one value, the last one given counts."""
    lists = {"artist_id"}
    return {
        name: list(pairs[name]) if name in lists else pairs[name][-1] for name in model.model_fields if name in pairs
    }
