"""Laws of every MatchLog."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from arthur.catalog import Catalog, open_catalog
from arthur.types import LoggedMatch, NewView, ViewId

DAY = 86_400_000_000
NOON = 20_000 * DAY + DAY // 2
ONE = LoggedMatch(NOON, "f" * 64, "match", "a", "e", 0.75, 12.5, "engine@f")
NONE = replace(ONE, decision="no_match", artist_id=None, entry_id=None)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.service("postgresql"))])
def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Catalog]:
    url = f"sqlite:///{tmp_path}/catalog.db"
    opened = open_catalog(str(request.getfixturevalue("postgres")) if request.param == "postgresql" else url)
    for artist, entry in (("a", "e"), ("a", "f"), ("b", "e")):
        new = NewView(ViewId(artist, entry, "v"), np.array([1, 0], np.float32), "f", "hash", "", "jpeg", 4, 4, 9, {})
        opened.put([new])
    yield opened
    opened.close()


def rows(catalog: Catalog, since_us: int = 0, limit: int = 100) -> list[LoggedMatch]:
    return list(catalog.match_log.rows(since_us=since_us, limit=limit))


def test_answers_come_back_newest_first_and_not_before_a_time(catalog: Catalog) -> None:
    catalog.match_log.put([ONE, replace(NONE, at_us=NOON + 1)])
    catalog.match_log.put([replace(ONE, at_us=NOON + 2)])
    assert [one.at_us - NOON for one in rows(catalog)] == [2, 1, 0]
    assert [one.at_us - NOON for one in rows(catalog, NOON + 1)] == [2, 1]
    assert [one.at_us - NOON for one in rows(catalog, limit=1)] == [2]


def test_an_answer_is_kept_as_it_was_but_for_the_hash_of_its_photo(catalog: Catalog) -> None:
    catalog.match_log.put([ONE])
    (kept,) = rows(catalog)
    assert replace(kept, photo=ONE.photo) == ONE
    assert (kept.photo != ONE.photo, len(kept.photo)) == (True, 32)


def test_a_photo_has_one_hash_on_a_day_and_another_on_the_next(catalog: Catalog) -> None:
    catalog.match_log.put([ONE, NONE, replace(ONE, at_us=NOON + DAY)])
    catalog.match_log.put([NONE])
    later, *same = [one.photo for one in sorted(rows(catalog), key=lambda one: -one.at_us)]
    assert (len(same), len(set(same)), later in same) == (3, 1, False)


def test_the_secret_of_a_day_is_forgotten_when_the_next_has_ended(catalog: Catalog) -> None:
    def hashed() -> set[str]:
        catalog.match_log.put([ONE])
        return {one.photo for one in rows(catalog)}

    hashed()
    catalog.match_log.forget(0, now_us=NOON + DAY)
    assert len(hashed()) == 1
    catalog.match_log.forget(0, now_us=NOON + 2 * DAY)
    assert len(hashed()) == 2


def test_only_artists_are_told_of_their_own_entries(catalog: Catalog) -> None:
    catalog.match_log.put([ONE, replace(ONE, artist_id="b"), NONE])
    assert [one.artist_id for one in catalog.match_log.rows(since_us=0, limit=9, only=["b"])] == ["b"]


def test_answers_about_a_removed_entry_go_with_it(catalog: Catalog) -> None:
    catalog.match_log.put([ONE, replace(ONE, entry_id="f"), replace(ONE, artist_id="b"), NONE])
    catalog.remove("a", "e")
    assert {(one.artist_id, one.entry_id) for one in rows(catalog)} == {("a", "f"), ("b", "e"), (None, None)}
    catalog.remove("a")
    catalog.match_log.put([ONE])
    assert {one.artist_id for one in rows(catalog)} == {"b", None}


def test_a_replaced_view_keeps_the_answers_about_its_entry(catalog: Catalog) -> None:
    catalog.match_log.put([ONE])
    catalog.put([NewView(ViewId("a", "e", "v"), np.array([0, 1], np.float32), "f", "", "", "jpeg", 4, 4, 9, {})])
    assert len(rows(catalog)) == 1


def test_old_answers_are_forgotten(catalog: Catalog) -> None:
    catalog.match_log.put([replace(NONE, at_us=NOON + n) for n in range(3)])
    assert [catalog.match_log.forget(NOON + 2, now_us=NOON) for _ in range(2)] == [2, 0]
    assert [one.at_us - NOON for one in rows(catalog)] == [2]


def test_more_answers_than_a_page_are_all_given(catalog: Catalog) -> None:
    catalog.match_log.put([replace(NONE, at_us=NOON + n) for n in range(10_003)])
    assert [one.at_us - NOON for one in rows(catalog, limit=10_002)] == list(range(10_002, 0, -1))
    assert catalog.match_log.forget(NOON + 10_001, now_us=NOON) == 10_001


def test_the_log_has_no_place_in_the_sequence(catalog: Catalog) -> None:
    before = catalog.latest()
    catalog.match_log.put([ONE])
    assert catalog.latest() == before
