"""What the match log tells: how often which work was found or nothing was, how fast, day by day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from arthur.catalog.match_log import MatchLog

__all__ = ["MOST_ANSWERS", "Answered", "read_answers"]

MOST_ANSWERS = 500_000
"""Answers that are read at most, the newest ones: some 150 bytes each in memory."""
_SCHEMA: dict[str, pl.DataType] = {
    "at": pl.Int64(),
    "photo": pl.String(),
    "decision": pl.String(),
    "artist_id": pl.String(),
    "entry_id": pl.String(),
    "milliseconds": pl.Float64(),
}
_PERCENTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
_DECISIONS = ("match", "unsure", "no_match")


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """Answers of the match log.

    Attributes:
        rows: at (UTC), photo, decision, artist_id, entry_id, milliseconds.
        complete: whether these are all that were asked for, and not the newest MOST_ANSWERS alone.
    """

    rows: pl.DataFrame
    complete: bool

    def decisions(self) -> dict[str, int]:
        """Return how many answers had each decision."""
        return {name: int((self.rows["decision"] == name).sum()) for name in _DECISIONS}

    def share(self, decision: str) -> float | None:
        """Return the share of answers with a decision; None where there are no answers."""
        return self.decisions()[decision] / self.rows.height if self.rows.height else None

    def latency_ms(self) -> dict[str, float]:
        """Return percentiles of the latency, milliseconds; none where there are no answers."""
        if self.rows.is_empty():
            return {}
        return self.rows.select(_latency()).row(0, named=True)

    def days(self) -> pl.DataFrame:
        """Return for each UTC day with answers, oldest first: answers, decisions, distinct photos and latency."""
        return (
            self.rows.group_by(pl.col("at").dt.date().cast(pl.String).alias("day"))
            .agg(pl.len().cast(pl.Int64).alias("answers"), *_counted(), _photos(), *_latency())
            .sort("day")
        )

    def works(self) -> pl.DataFrame:
        """Return for each entry that an answer was about: artist_id, entry_id, match, unsure; most matched first."""
        counted = [one for one in _counted() if one.meta.output_name() != "no_match"]
        return (
            self.rows.filter(pl.col("entry_id").is_not_null())
            .group_by("artist_id", "entry_id")
            .agg(*counted, pl.col("at").max().dt.strftime("%Y-%m-%dT%H:%M:%SZ").alias("last_at"))
            .sort("match", "unsure", "artist_id", "entry_id", descending=[True, True, False, False])
        )


def read_answers(
    log: MatchLog, *, since_us: int, only: Sequence[str] | None = None, most: int = MOST_ANSWERS
) -> Answered:
    """Read the answers since a time; `only` those about these artists' entries, `most` the newest.

    Raises:
        StoreError: the catalog did not answer.
    """
    found = log.rows(since_us=since_us, limit=most + 1, only=only)
    rows = ((one.at_us, one.photo, one.decision, one.artist_id, one.entry_id, one.milliseconds) for one in found)
    table = pl.DataFrame(rows, schema=_SCHEMA, orient="row")
    timed = table.head(most).with_columns(pl.col("at").cast(pl.Datetime("us", "UTC")))
    return Answered(timed, complete=table.height <= most)


def _counted() -> list[pl.Expr]:
    return [(pl.col("decision") == name).sum().cast(pl.Int64).alias(name) for name in _DECISIONS]


def _photos() -> pl.Expr:
    return pl.col("photo").n_unique().cast(pl.Int64).alias("photos")


def _latency() -> list[pl.Expr]:
    return [pl.col("milliseconds").quantile(share, "nearest").alias(name) for name, share in _PERCENTILES.items()]
