"""What an artist's part of the catalogue looks like: sizes, formats, growth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice

import polars as pl

from arthur.catalog import Catalog
from arthur.errors import NotFound
from arthur.types import StoredView

_PAGE = 1000
_QUANTILES = {"min": 0.0, "p10": 0.1, "p50": 0.5, "p90": 0.9, "max": 1.0}
_SCHEMA: dict[str, pl.DataType] = {
    "entry_id": pl.String(),
    "format": pl.String(),
    "bytes": pl.Int64(),
    "pixels": pl.Int64(),
    "created_at": pl.Datetime("us", "UTC"),
    "updated_at": pl.Datetime("us", "UTC"),
}


@dataclass(frozen=True, slots=True)
class Growth:
    """Views that were new on a day or in a month (ISO, UTC), and how many there were at its end."""

    day: str
    views: int
    total: int


@dataclass(frozen=True, slots=True)
class ArtistAnalytics:
    """An artist in numbers; every field can be written as JSON.

    Attributes:
        formats: views by file format, most frequent first.
        size_bytes: of all encoded pictures together.
        pixels: of a picture, as min, p10, p50, p90 and max.
        views_per_entry: likewise.
        first_at, last_at: when the oldest view was created and the newest change made, ISO 8601 in UTC.
        growth: days on which views were created, oldest first.
        months: likewise, by month (2026-01).
    """

    artist_id: str
    entries: int
    views: int
    formats: Mapping[str, int]
    size_bytes: int
    pixels: Mapping[str, int]
    views_per_entry: Mapping[str, int]
    first_at: str
    last_at: str
    growth: tuple[Growth, ...]
    months: tuple[Growth, ...]

    def growth_table(self) -> pl.DataFrame:
        """Return the growth by day as a table: day, views, total."""
        return pl.DataFrame([asdict(one) for one in self.growth])


def artist_analytics(catalog: Catalog, artist_id: str) -> ArtistAnalytics:
    """Count and measure the live views of an artist. Reads them all, some 60 bytes each at a time in memory.

    Raises:
        NotFound: the artist has no views.
        StoreError: the catalog did not answer.
    """
    views = pl.DataFrame((_row(stored) for stored in _views(catalog, artist_id)), schema=_SCHEMA, orient="row")
    if views.is_empty():
        raise NotFound(f"there is no artist {artist_id!r}")
    formats = views["format"].value_counts().sort("count", "format", descending=[True, False])
    return ArtistAnalytics(
        artist_id=artist_id,
        entries=views["entry_id"].n_unique(),
        views=views.height,
        formats=dict(formats.iter_rows()),
        size_bytes=int(views["bytes"].sum()),
        pixels=_quantiles(views["pixels"]),
        views_per_entry=_quantiles(views["entry_id"].value_counts()["count"]),
        first_at=views.select(pl.col("created_at").min()).item().isoformat(),
        last_at=views.select(pl.col("updated_at").max()).item().isoformat(),
        growth=_growth(views, "%Y-%m-%d"),
        months=_growth(views, "%Y-%m"),
    )


def sampled_views(catalog: Catalog, artist_id: str, *, of: int, most: int) -> list[StoredView]:
    """Return up to `most` of an artist's views, taken evenly over all `of` them.

    Raises:
        StoreError: the catalog did not answer.
    """
    return list(islice(_views(catalog, artist_id), 0, None, max(1, -(-of // most))))


def _views(catalog: Catalog, artist_id: str) -> Iterator[StoredView]:
    """Give all views of an artist, page by page."""
    page = catalog.views_of(artist_id, None, cursor=None, limit=_PAGE)
    yield from page.rows
    while page.next_cursor is not None:
        page = catalog.views_of(artist_id, None, cursor=page.next_cursor, limit=_PAGE)
        yield from page.rows


def _row(stored: StoredView) -> tuple[str, str, int, int, datetime, datetime]:
    """Return the columns of the schema."""
    pixels = stored.width * stored.height
    return (stored.view.entry_id, stored.format, stored.size_bytes, pixels, stored.created_at, stored.updated_at)


def _quantiles(values: pl.Series) -> dict[str, int]:
    return {name: int(values.quantile(share, "nearest") or 0) for name, share in _QUANTILES.items()}


def _growth(views: pl.DataFrame, form: str) -> tuple[Growth, ...]:
    """Count the views by when they were created."""
    days = views.group_by(pl.col("created_at").dt.strftime(form).alias("day")).len("views").sort("day")
    totals = days.with_columns(pl.col("views").cum_sum().alias("total"))
    return tuple(Growth(*row) for row in totals.iter_rows())
