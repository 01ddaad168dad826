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


class ArtistAnalyticsParams(Lenient):
    """What of an artist's numbers is wanted, and as what."""

    days: Days = 30
    format: Form = "json"
    table: Annotated[
        Literal["growth", "works"], Field(description="Of a file: views by day, or how often each work was found")
    ] = "growth"


class GrowthOut(BaseModel):
    """Views that were new on a day or in a month, and how many there were at its end."""

    day: str
    views: int
    total: int


class QualityOut(BaseModel):
    """How good pictures are for recognition, from `looked_at` views taken evenly over all."""

    looked_at: int
    small: Annotated[int, Field(description="With a side of less than 256 pixels")]
    thumbnails_missing: int
    features_few: Annotated[int | None, Field(description="With fewer than 50 local features; null: no verifier")]


class NearArtistOut(BaseModel):
    """An artist whose works are near: to how many of the views looked at, and their mean cosine similarity."""

    artist_id: str
    views: int
    score: float


class ConfusableOut(BaseModel):
    """A work of the artist that would be taken for another one with this probability, or the other for it."""

    entry_id: str
    other_artist_id: str
    other_entry_id: str
    probability: float


class FoundOut(BaseModel):
    """How often the artist's works were found, from the match log; empty where none is kept."""

    logged_days: int
    complete: bool
    match: int
    unsure: int
    works: list[WorkOut]


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
    months: list[GrowthOut]
    quality: QualityOut
    nearest: Annotated[
        list[NearArtistOut] | None, Field(description="At most 10, nearest first; null: the index did not answer")
    ]
    confusable: Annotated[list[ConfusableOut], Field(description="At most 100, most confusable first")]
    found: FoundOut
