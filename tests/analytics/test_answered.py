from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from arthur.analytics import Answered, read_answers, written
from arthur.types import LoggedMatch

DAY = 86_400_000_000
ONE = LoggedMatch(20_000 * DAY, "p", "match", "a", "e", 0.9, 10.0, "engine")
NONE = replace(ONE, decision="no_match", artist_id=None, entry_id=None)


class Log:
    """A match log that has these answers."""

    def __init__(self, answers: list[LoggedMatch]) -> None:
        self._answers = answers

    def rows(self, *, since_us: int, limit: int, only: Any) -> Any:
        return iter(self._answers[:limit])


def read(*answers: LoggedMatch, most: int = 99) -> Answered:
    return read_answers(Log(list(answers)), since_us=0, most=most)  # type: ignore[arg-type]


def test_decisions_and_their_shares_are_counted() -> None:
    found = read(ONE, ONE, replace(ONE, decision="unsure"), NONE)
    assert found.decisions() == {"match": 2, "unsure": 1, "no_match": 1}
    assert (found.share("no_match"), read().share("no_match")) == (0.25, None)


def test_latency_is_told_in_percentiles() -> None:
    found = read(*(replace(ONE, milliseconds=float(n)) for n in range(101)), most=200)
    assert found.latency_ms() == {"p50": 50, "p90": 90, "p99": 99}
    assert read().latency_ms() == {}


def test_days_come_oldest_first_with_their_distinct_photos() -> None:
    found = read(replace(NONE, at_us=ONE.at_us + DAY), ONE, ONE, replace(ONE, photo="q"))
    first, second = found.days().to_dicts()
    assert (first["day"], first["answers"], first["photos"], first["match"]) == ("2024-10-04", 3, 2, 3)
    assert (second["day"], second["no_match"], second["match"]) == ("2024-10-05", 1, 0)


def test_works_come_most_matched_first_and_no_match_is_none_of_them() -> None:
    found = read(NONE, ONE, replace(ONE, entry_id="f"), replace(ONE, entry_id="f"), replace(ONE, decision="unsure"))
    assert [(row["entry_id"], row["match"], row["unsure"]) for row in found.works().to_dicts()] == [
        ("f", 2, 0),
        ("e", 1, 1),
    ]


def test_only_the_newest_are_read_and_that_is_told() -> None:
    assert (read(ONE, ONE, ONE, most=2).rows.height, read(ONE, ONE, ONE, most=2).complete) == (2, False)
    assert read(ONE, ONE, most=2).complete


@pytest.mark.parametrize("table", ["days", "works"])
def test_files_hold_the_table(table: str) -> None:
    for frame in (getattr(read(ONE, NONE), table)(), getattr(read(), table)()):
        assert pl.read_parquet(io.BytesIO(written(frame, "parquet"))).equals(frame)
        assert written(frame, "csv").decode().splitlines()[0] == ",".join(frame.columns)
