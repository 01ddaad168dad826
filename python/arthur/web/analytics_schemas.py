"""Analytics as `/api/v1` answers them, and what it reads for them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from arthur.web.schemas import Lenient

Form = Annotated[
    Literal["json", "csv", "parquet"], Field(description="json is everything; csv and parquet are one `table`")
]
Days = Annotated[int, Field(ge=1, le=3650, description="How many days of the match log are looked at")]
Share = Annotated[float | None, Field(ge=0, le=1)]


class AnalyticsParams(Lenient):
    """What of the catalogue-wide numbers is wanted, and as what."""

    days: Days = 30
    top: Annotated[int, Field(ge=1, le=1000, description="Most found works wanted")] = 20
    format: Form = "json"
    table: Annotated[Literal["days", "works"], Field(description="Of a file: every day, or every work")] = "days"


class WorkOut(BaseModel):
    """How often an entry was the answer, or would have been, were it surer."""

    artist_id: str
    entry_id: str
    match: int
    unsure: int
    last_at: str


class DayOut(BaseModel):
    """The answers of one UTC day; p50, p90 and p99 of the latency in milliseconds."""

    day: str
    answers: int
    match: int
    unsure: int
    no_match: int
    photos: Annotated[int, Field(description="Distinct ones, as far as their bytes tell")]
    p50: float
    p90: float
    p99: float


class AnalyticsOut(BaseModel):
    """What was asked, from the match log; all empty where none is kept."""

    since: str
    logged_days: Annotated[int, Field(description="For how many days answers are kept; 0: they are not logged")]
    complete: Annotated[bool, Field(description="false: only the newest answers were looked at")]
    answers: int
    decisions: dict[str, int]
    no_match_rate: Annotated[Share, Field(description="null without answers, and for keys restricted to artists")]
    unsure_rate: Share
    latency_ms: Annotated[dict[str, float], Field(description="p50, p90 and p99; empty without answers")]
    top: list[WorkOut]
    days: list[DayOut]


class GrowthOut(BaseModel):
    """Views that were new on a day, and how many there were at its end."""

    day: str
    views: int
    total: int


class ArtistAnalyticsOut(BaseModel):
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
