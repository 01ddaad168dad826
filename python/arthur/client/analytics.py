"""What the server tells in numbers, as frozen values. See `answers`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class FoundWork:
    """How often an entry was the answer, or would have been, were it surer."""

    artist_id: str
    entry_id: str
    match: int
    unsure: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Day:
    """The answers of one UTC day, `photos` distinct ones; p50, p90 and p99 of the latency in milliseconds."""

    day: str
    answers: int
    match: int
    unsure: int
    no_match: int
    photos: int
    p50: float
    p90: float
    p99: float


@dataclass(frozen=True, slots=True)
class Analytics:
    """What was asked, from the match log.

    Attributes:
        logged_days: for how many days answers are kept; 0: they are not logged.
        complete: all answers of the time were looked at, not the newest ones alone.
        decisions: how many answers were match, unsure and no_match.
        no_match_rate, unsure_rate: None without answers; the first also for keys that are restricted to artists.
        latency_ms: p50, p90 and p99; empty without answers.
        top: the most found works first.
        days: those with answers, oldest first.
    """

    since: datetime
    logged_days: int
    complete: bool
    answers: int
    decisions: Mapping[str, int]
    no_match_rate: float | None
    unsure_rate: float | None
    latency_ms: Mapping[str, float]
    top: tuple[FoundWork, ...]
    days: tuple[Day, ...]


@dataclass(frozen=True, slots=True)
class Growth:
    """Views that were new on a day or in a month (ISO, UTC), and how many there were at its end."""

    day: str
    views: int
    total: int


@dataclass(frozen=True, slots=True)
class Quality:
    """How good an artist's pictures are for recognition, from views taken evenly over all.

    Attributes:
        looked_at: how many views these are; the other numbers are of them.
        features_few: how many have few local features; None where the server consults no geometry.
    """

    looked_at: int
    small: int
    thumbnails_missing: int
    features_few: int | None


@dataclass(frozen=True, slots=True)
class NearArtist:
    """An artist whose works are near: to how many of the views looked at, and their mean cosine similarity."""

    artist_id: str
    views: int
    score: float


@dataclass(frozen=True, slots=True)
class ConfusableWorks:
    """A work that would be taken for another one with this probability, or the other for it."""

    entry_id: str
    other_artist_id: str
    other_entry_id: str
    probability: float


@dataclass(frozen=True, slots=True)
class Found:
    """How often an artist's works were found, from the match log; `works` the most found first."""

    logged_days: int
    complete: bool
    match: int
    unsure: int
    works: tuple[FoundWork, ...]


@dataclass(frozen=True, slots=True)
class ArtistAnalytics:
    """An artist in numbers.

    Attributes:
        formats: views by file format.
        pixels, views_per_entry: as min, p10, p50, p90 and max.
        first_at, last_at: when the oldest view was created and the newest change made.
        growth, months: days and months with new views, oldest first.
        nearest: artists, nearest first; None where the index did not answer.
        confusable: most confusable first.
    """

    artist_id: str
    entries: int
    views: int
    formats: Mapping[str, int]
    size_bytes: int
    pixels: Mapping[str, int]
    views_per_entry: Mapping[str, int]
    first_at: datetime
    last_at: datetime
    growth: tuple[Growth, ...]
    months: tuple[Growth, ...]
    quality: Quality
    nearest: tuple[NearArtist, ...] | None
    confusable: tuple[ConfusableWorks, ...]
    found: Found
