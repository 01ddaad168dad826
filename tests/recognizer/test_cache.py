from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from arthur.cache.memory import MemoryCache
from arthur.errors import InvalidImage
from arthur.types import Query
from tests.models import House, ModelCatalog


def test_the_same_photo_is_embedded_once(house: Any, picture: Any) -> None:
    house.enroll("a/e1/main", 1)
    seen = house.encoder.seen
    house.entries(2)
    house.enroll("a/e2/main", 3)
    house.entries(2)
    assert house.encoder.seen == seen + 2


def test_the_same_question_is_answered_from_the_cache(house: Any, picture: Any) -> None:
    house.enroll("a/e1/main", 1)
    first = house.recognizer.recognize(picture(1))
    house.index.broken = True
    again = house.recognizer.recognize(picture(1))
    assert (again.matches, again.decision, again.degraded) == (first.matches, first.decision, False)


def test_a_cached_answer_has_timings_of_its_own(house: Any, picture: Any) -> None:
    house.enroll("a/e1/main", 1)
    house.recognizer.recognize(picture(1))
    assert set(house.recognizer.recognize(picture(1)).timings_ms) == {"cache", "total"}


def test_a_put_makes_cached_answers_unreachable(house: Any) -> None:
    house.enroll("a/e1/main", 1)
    assert house.entries(2) == ["e1"]
    house.enroll("a/e2/main", 2)
    assert house.entries(2) == ["e2", "e1"]


def test_a_removal_makes_cached_answers_unreachable(house: Any) -> None:
    house.enroll("a/e1/main", 1)
    assert house.entries(1) == ["e1"]
    house.recognizer.forget("a")
    assert house.entries(1) == []


def test_different_questions_have_different_answers(house: Any) -> None:
    house.enroll("a/e1/main", 1)
    house.enroll("b/e2/main", 2)
    answers = [house.entries(1, Query(artist_ids=(artist,))) for artist in "ab"]
    assert answers == [["e1"], ["e2"]]


def test_the_order_of_artists_is_no_difference(house: Any, picture: Any) -> None:
    house.enroll("a/e1/main", 1)
    first = house.recognizer.recognize(picture(1), Query(artist_ids=("a", "b")))
    again = house.recognizer.recognize(picture(1), Query(artist_ids=("b", "a")))
    assert "search" in first.timings_ms
    assert "search" not in again.timings_ms


def test_a_damaged_answer_is_a_miss(house: Any, picture: Any) -> None:
    house.enroll("a/e1/main", 1)
    house.entries(1)
    for key in house.cache.kept:
        house.cache.kept[key] = b"{"
    assert house.entries(1) == ["e1"]


def test_a_degraded_answer_is_not_kept(house: Any, picture: Any) -> None:
    house.enroll("a/e1/main", 1)
    house.index.broken = True
    house.recognizer.recognize(picture(1))
    house.index.broken = False
    assert not house.recognizer.recognize(picture(1)).degraded


def test_of_many_who_ask_the_same_at_once_one_is_worked_for(picture: Any) -> None:
    house = House(ModelCatalog(), cache=MemoryCache(2**20))
    house.enroll("a/e1/main", 1)
    seen = house.encoder.seen
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(house.recognizer.recognize, [picture(2)] * 24))
    assert {answer.matches[0].view.entry_id for answer in answers} == {"e1"}
    assert house.encoder.seen == seen + 1


def test_a_failure_lets_those_who_wait_try_themselves(picture: Any) -> None:
    house = House(ModelCatalog(), cache=MemoryCache(2**20))
    house.enroll("a/e1/main", 1)
    with pytest.raises(InvalidImage):
        house.recognizer.recognize(b"no picture")
    with pytest.raises(InvalidImage):
        house.recognizer.recognize(b"no picture")
    assert house.cache.stats().get("shared") is None
