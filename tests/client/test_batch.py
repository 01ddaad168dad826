"""Many photos: their order, their errors, and how many are under way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest

from arthur.client import InvalidImage, Recognition
from arthur.client.batch import in_order
from tests.client.conftest import Step
from tests.web.conftest import picture


def recognition(request_id: str) -> Recognition:
    return Recognition("no_match", 0.0, (), (), "engine", 0, False, (), {}, request_id)


def test_outcomes_come_in_the_order_of_the_photos(client: Any, artist: str) -> None:
    for seed in range(3):
        client.put((artist, str(seed), "main"), picture(seed))
    outcomes = client.match_many([picture(seed % 3) for seed in range(9)], concurrency=4, artist_ids=artist)
    assert [one.answer.matches[0].entry_id for one in outcomes] == [str(seed % 3) for seed in range(9)]


def test_a_photo_that_fails_does_not_fail_the_others(client: Any, tmp_path: Any) -> None:
    outcomes = list(client.match_many([b"no picture", tmp_path / "missing", picture(1)], concurrency=2))
    assert [type(one.error) for one in outcomes] == [InvalidImage, FileNotFoundError, type(None)]
    assert [one.answer is None for one in outcomes] == [True, True, False]


def test_progress_is_told_with_each_outcome(client: Any) -> None:
    told: list[tuple[int, int]] = []
    list(client.match_many([picture(1), b"", picture(2)], progress=lambda *counts: told.append(counts)))
    assert told == [(1, 0), (2, 1), (3, 1)]


def test_endless_photos_are_read_a_few_places_ahead(client: Any) -> None:
    taken = []

    def endless() -> Iterator[bytes]:
        while True:
            taken.append(1)
            yield picture(1)

    outcomes = client.match_many(endless(), concurrency=2)
    assert next(outcomes).place == 0
    outcomes.close()
    assert len(taken) <= 5


def test_no_more_than_asked_for_are_under_way(opened: Callable[..., Any], scripted: Any) -> None:
    client = opened(scripted.plays(Step(body=orjson.dumps(recognition("")))))
    assert [one.place for one in client.match_many([b"x"] * 20, concurrency=3)] == list(range(20))
    assert 1 < scripted.most <= 3


def test_a_slow_photo_does_not_stop_the_others() -> None:
    passed = threading.Barrier(2, timeout=20)

    def match(photo: Any) -> Recognition:
        if photo in (b"slow", b"last"):
            passed.wait()
        return recognition(photo.decode())

    outcomes = in_order(match, [b"slow", b"a", b"b", b"last"], concurrency=2, progress=None)
    assert [one.answer.request_id for one in outcomes if one.answer] == ["slow", "a", "b", "last"]


def test_leaving_the_loop_sends_no_others() -> None:
    sent: list[bytes] = []

    def match(photo: Any) -> Recognition:
        sent.append(photo)
        time.sleep(0.001)
        return recognition("")

    for _ in in_order(match, [b"x"] * 50, concurrency=1, progress=None):
        break
    assert len(sent) <= 3


@pytest.mark.parametrize("concurrency", [0, -1])
def test_no_place_at_all_is_refused(client: Any, concurrency: int) -> None:
    with pytest.raises(ValueError, match="concurrency"):
        list(client.match_many([b""], concurrency=concurrency))
