"""What `/api/v1/jobs` reads and answers, as the API page describes it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from arthur.types import JobState
from arthur.web.schemas import Lenient

MAX_ROWS = 10_000

Id = Annotated[str, Field(min_length=1, max_length=512)]


class JobRow(BaseModel):
    """A picture by its URL. Every further member is kept as metadata."""

    model_config = ConfigDict(extra="allow", frozen=True)

    artist_id: Id
    entry_id: Id
    view_id: Id = "main"
    url: Annotated[str, Field(min_length=1, max_length=8192)]


class JobJson(Lenient):
    """What to import: exactly one of `items`, `path` and `prefix`."""

    items: Annotated[list[JobRow] | None, Field(min_length=1, max_length=MAX_ROWS, description="Pictures by URL")] = (
        None
    )
    path: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=4096,
            description="A folder, a manifest or a list of URLs, relative to the server's import root",
        ),
    ] = None
    prefix: Annotated[
        str | None, Field(min_length=1, max_length=2048, description="A prefix of an object store that is allowed here")
    ] = None
    artist_id: Annotated[Id | None, Field(description="All of a folder, a list or a prefix is this artist's")] = None


def _whole(value: object) -> object:
    return [value] if isinstance(value, str) else value


class JobsParams(Lenient):
    """Which jobs to list."""

    state: Annotated[
        list[JobState],
        BeforeValidator(_whole),
        Field(default_factory=list, max_length=6, description="Only jobs of this state; repeat for several"),
    ]
    cursor: Annotated[str | None, Field(max_length=20, description="`next_cursor` of the page before")] = None
    limit: Annotated[int, Field(ge=1, le=1000, description="Rows wanted")] = 100


class RetryParams(Lenient):
    """What to try again."""

    number: Annotated[
        list[Annotated[int, Field(ge=1, lt=2**63)]],
        BeforeValidator(_whole),
        Field(default_factory=list, max_length=1000, description="Only this item; repeat for several"),
    ]


class JobOut(BaseModel):
    """A job as it stands."""

    job_id: str
    kind: Literal["import"]
    state: JobState
    source: dict[str, JsonValue]
    total: Annotated[int, Field(description="Items found; final once `listed`")]
    listed: bool
    done: int
    imported: int
    skipped: Annotated[int, Field(description="They were there already")]
    failed: Annotated[int, Field(description="They are in quarantine")]
    rate: Annotated[float | None, Field(description="Items a second over the last half to one minute")]
    eta_s: Annotated[float | None, Field(description="Seconds until its end at that rate")]
    error: Annotated[str, Field(description="Why the source could not be listed, or empty")]
    created_at: str
    begun_at: str | None
    ended_at: str | None
    updated_at: str


class JobsOut(BaseModel):
    """Jobs, newest first."""

    jobs: list[JobOut]
    next_cursor: str | None


class RejectOut(BaseModel):
    """An item in quarantine. One that is not `retriable` names no picture."""

    number: int
    place: Annotated[str, Field(description="Where the source names it")]
    reason: str
    retriable: bool
    at: str


class QuarantineOut(BaseModel):
    """Items in quarantine, in order."""

    items: list[RejectOut]
    next_cursor: str | None


class RetriedOut(BaseModel):
    """How many items will be tried again."""

    retried: int
