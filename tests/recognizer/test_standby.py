"""Claims of the index that stands in for another one while that fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from arthur.errors import StoreError
from arthur.recognition import searcher
from arthur.recognition.parts import Options
from tests.models import House, ModelCatalog, ModelIndex


class RemoteIndex(ModelIndex):
    """Fails as a server that is away does: whatever it is asked."""

    @property
    def sequence(self) -> int:
        self._work()
        return self._reached

    @sequence.setter
    def sequence(self, reached: int) -> None:
        self._reached = reached


@pytest.fixture
def pair() -> Iterator[House]:
    house = House(ModelCatalog(), index=RemoteIndex(), standby=ModelIndex())
    yield house
    house.recognizer.close()


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_both_indices_follow_the_catalogue(pair: Any) -> None:
    pair.enroll("a/e1/main", 1)
    assert list(pair.index.rows) == list(pair.standby.rows) == [1]
    pair.recognizer.forget("a")
    assert list(pair.index.rows) == list(pair.standby.rows) == []


def test_the_standby_answers_while_the_index_fails(pair: Any, picture: Any) -> None:
    pair.enroll("a/e1/main", 1)
    pair.index.broken = True
    answer = pair.recognizer.recognize(picture(1))
    assert (answer.degraded, answer.matches[0].view.entry_id) == (True, "e1")


def test_a_write_while_the_index_fails_is_found_at_once(pair: Any, picture: Any) -> None:
    pair.index.broken = True
    for number in range(3):
        pair.enroll(f"a/e{number}/main", number)
        assert pair.recognizer.recognize(picture(number)).matches[0].view.entry_id == f"e{number}"


def test_the_failed_index_is_left_alone_by_who_asks(pair: Any, picture: Any) -> None:
    pair.enroll("a/e1/main", 1)
    pair.index.broken = True
    pair.recognizer.recognize(picture(1))
    pair.index.search = None  # would be called in vain
    assert pair.recognizer.recognize(picture(1)).degraded


def test_an_index_that_is_back_has_all_and_is_asked_again(pair: Any, picture: Any) -> None:
    pair.enroll("a/e1/main", 1)
    pair.index.broken = True
    pair.enroll("a/e2/main", 2)
    assert pair.recognizer.recognize(picture(2)).degraded
    pair.index.broken = False
    until(lambda: not pair.recognizer.recognize(picture(2)).degraded)
    assert list(pair.index.rows) == [1, 2]


def test_nobody_waits_for_an_index_that_is_far_behind(picture: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searcher, "MOST_BEHIND", 2)
    catalog = ModelCatalog()
    before = House(catalog)
    for number in range(4):
        before.enroll(f"a/e{number}/main", number)
    house = House(catalog, index=RemoteIndex(), standby=before.index)
    answer = house.recognizer.recognize(picture(1))
    assert (answer.degraded, answer.matches[0].view.entry_id) == (True, "e1")
    until(lambda: not house.recognizer.recognize(picture(2)).degraded)
    assert len(house.index) == 4
    house.recognizer.close()


def test_a_failed_standby_is_not_missed(pair: Any, picture: Any) -> None:
    pair.standby.broken = True
    pair.enroll("a/e1/main", 1)
    pair.recognizer.ready()
    assert not pair.recognizer.recognize(picture(1)).degraded


def test_the_process_is_ready_by_its_standby_alone(pair: Any) -> None:
    pair.enroll("a/e1/main", 1)
    pair.index.broken = True
    pair.enroll("a/e2/main", 2)
    pair.recognizer.ready()
    pair.standby.broken = True
    pair.catalog.remove("a")
    with pytest.raises(StoreError):
        pair.recognizer.ready()


def test_the_state_tells_of_both(pair: Any) -> None:
    pair.enroll("a/e1/main", 1)
    pair.index.broken = True
    status = pair.recognizer.status()
    assert (status["degraded"], status["standby_index"]["views"]) == (["index"], 1)


def test_reindex_mends_both(pair: Any) -> None:
    pair.enroll("a/e1/main", 1)
    pair.enroll("a/e2/main", 2)
    del pair.index.rows[1], pair.standby.rows[2]
    pair.recognizer.reindex()
    assert sorted(pair.index.rows) == sorted(pair.standby.rows) == [1, 2]


def test_without_standby_and_scans_a_failed_index_is_an_error(picture: Any) -> None:
    house = House(ModelCatalog(), options=Options(scans=False))
    house.enroll("a/e1/main", 1)
    house.index.broken = True
    with pytest.raises(StoreError):
        house.recognizer.recognize(picture(1))
