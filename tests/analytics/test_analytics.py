import itertools
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from arthur.analytics import Growth, artist_analytics, sampled_views
from arthur.catalog import Page
from arthur.errors import NotFound
from arthur.types import StoredView, ViewId

DAY = datetime(2026, 1, 1, 23, tzinfo=UTC)


class Shelf:
    """A catalog that only lists views, two a page."""

    def __init__(self, views: Any) -> None:
        self._views = views

    def views_of(self, artist_id: Any, entry_id: Any, *, cursor: Any, limit: Any) -> Any:
        first = int(cursor or 0)
        rows = [view for view in self._views if view.view.artist_id == artist_id]
        return Page(tuple(rows[first : first + 2]), str(first + 2) if first + 2 < len(rows) else None)


def _stored(name: Any, day: Any, kind: Any = "jpeg", size: Any = 100, side: Any = 10) -> Any:
    view = ViewId("a", *name.split("/"))
    at = DAY + timedelta(days=day)
    return StoredView(next(_keys), view, view.vector_id, "", "", kind, side, side, size, {}, at, at)


_keys = itertools.count(1)


@pytest.fixture
def shelf() -> Any:
    return Shelf([_stored("e1/v1", 0), _stored("e1/v2", 0, "png", 200), _stored("e2/v1", 2, size=300, side=30)])


def test_everything_is_counted_over_all_pages(shelf: Any) -> None:
    found = artist_analytics(shelf, "a")
    assert (found.entries, found.views, found.size_bytes) == (2, 3, 600)


def test_formats_come_most_frequent_first(shelf: Any) -> None:
    assert list(artist_analytics(shelf, "a").formats.items()) == [("jpeg", 2), ("png", 1)]


def test_quantiles_are_values_that_occur(shelf: Any) -> None:
    found = artist_analytics(shelf, "a")
    assert (found.pixels["min"], found.pixels["p50"], found.pixels["max"]) == (100, 100, 900)
    assert (found.views_per_entry["min"], found.views_per_entry["max"]) == (1, 2)


def test_growth_adds_up_by_day(shelf: Any) -> None:
    assert artist_analytics(shelf, "a").growth == (Growth("2026-01-01", 2, 2), Growth("2026-01-03", 1, 3))


def test_the_span_is_given_in_utc(shelf: Any) -> None:
    found = artist_analytics(shelf, "a")
    assert (found.first_at, found.last_at) == ("2026-01-01T23:00:00+00:00", "2026-01-03T23:00:00+00:00")


def test_it_can_be_written_as_json(shelf: Any) -> None:
    assert orjson.loads(orjson.dumps(asdict(artist_analytics(shelf, "a"))))["views"] == 3


def test_an_artist_without_views_is_not_found(shelf: Any) -> None:
    with pytest.raises(NotFound):
        artist_analytics(shelf, "b")


def test_growth_is_told_by_month_too(shelf: Any) -> None:
    assert artist_analytics(shelf, "a").months == (Growth("2026-01", 3, 3),)


def test_views_are_sampled_evenly(shelf: Any) -> None:
    found = [[one.view.view_id for one in sampled_views(shelf, "a", of=3, most=most)] for most in (1, 2, 9)]
    assert found == [["v1"], ["v1", "v1"], ["v1", "v2", "v1"]]
