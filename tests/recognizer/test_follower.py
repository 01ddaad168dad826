import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from arthur.errors import DeadlineExceeded, StoreError
from arthur.recognition.follower import Follower
from arthur.recognition.history import vector_history
from arthur.recognition.scan import MOST_VIEWS
from arthur.types import Counts, ViewId


def follower_of(catalog: Any, index: Any, *, page: int = 8192) -> Follower:
    return Follower(catalog, index, vector_history(catalog, index, fingerprint="f" * 64), page=page)


class Gate:
    """A catalog whose `changes` wait until the gate opens."""

    def __init__(self, catalog: Any) -> None:
        self._catalog = catalog
        self.entered, self.open = threading.Event(), threading.Event()

    def __getattr__(self, name: Any) -> Any:
        return getattr(self._catalog, name)

    def changes(self, since: Any, limit: Any, fingerprint: Any) -> Any:
        self.entered.set()
        assert self.open.wait(10)
        return self._catalog.changes(since, limit, fingerprint)


def test_a_write_of_one_is_read_by_another(house: Any, another: Any) -> None:
    second = another(house)
    for seed in range(5):
        house.enroll(f"a/e{seed}/main", seed)
        assert second.entries(seed)[0] == f"e{seed}"


def test_a_removal_by_one_is_seen_by_another(house: Any, another: Any) -> None:
    house.enroll("a/e1/main", 1)
    second = another(house)
    assert second.entries(1) == ["e1"]
    house.recognizer.forget("a", "e1")
    assert second.entries(1) == []


def test_pages_are_followed_to_the_end(house: Any) -> None:
    for seed in range(7):
        house.enroll(f"a/e{seed}/main", seed)
    house.index.clear()
    assert follower_of(house.catalog, house.index, page=2).catch_up() == 7
    assert len(house.index) == 7


def test_a_long_replay_is_written_out_on_the_way(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arthur.recognition.follower.WRITTEN_OUT", 3)
    for seed in range(6):
        house.enroll(f"a/e{seed}/main", seed)
    house.index.clear()
    house.index.durable = 0
    follower_of(house.catalog, house.index, page=2).catch_up()
    assert house.index.durable == 4


def test_no_epoch_begins_while_the_index_is_emptied(house: Any) -> None:
    house.index.advance(99)
    follower = follower_of(house.catalog, house.index)
    emptied, refused = house.index.clear, []

    def clear() -> None:
        with ThreadPoolExecutor(1) as pool:
            refused.append(pool.submit(follower.epoch, timeout_s=0.01).exception())
        emptied()

    house.index.clear = clear
    follower.catch_up()
    assert [type(error) for error in refused] == [DeadlineExceeded]
    assert follower.epoch() == 1


def test_an_index_ahead_of_its_catalog_is_rebuilt(house: Any, another: Any, capsys: Any) -> None:
    for seed in range(4):
        house.enroll(f"a/e{seed}/main", seed)
    restored = another(house)
    restored.index.put(np.array([99]), np.ones((1, 12), np.float32), np.array([1]))
    restored.index.advance(99)
    assert restored.entries(1)[0] == "e1"
    assert (len(restored.index), restored.index.sequence) == (4, 4)
    assert "".join(capsys.readouterr()).count("index_rebuilt") == 1


def test_readers_of_reached_changes_do_not_wait(house: Any) -> None:
    house.enroll("a/e1/main", 1)
    gate = Gate(house.catalog)
    follower = follower_of(gate, house.index)
    assert follower.catch_up() == 1
    assert not gate.entered.is_set()


def test_waiting_for_another_replay_ends_at_the_deadline(house: Any) -> None:
    house.enroll("a/e1/main", 1)
    house.index.clear()
    gate = Gate(house.catalog)
    follower = follower_of(gate, house.index)
    with ThreadPoolExecutor(1) as pool:
        leader = pool.submit(follower.catch_up)
        assert gate.entered.wait(10)
        with pytest.raises(DeadlineExceeded):
            follower.catch_up(timeout_s=0.01)
        gate.open.set()
        assert leader.result(10) == 1


def test_a_failed_replay_gives_the_turn_back(house: Any) -> None:
    house.index.broken = True
    house.enroll("a/e1/main", 1)
    house.index.broken = False
    house.recognizer.ready()
    assert len(house.index) == 1


def test_reindex_leaves_a_sound_index_alone(house: Any) -> None:
    house.enroll("a/e1/main", 1)
    rows = house.index.rows
    assert house.recognizer.reindex() == 1
    assert house.index.rows is rows


def test_reindex_mends_what_is_missing(house: Any) -> None:
    for seed in range(5):
        house.enroll(f"a/e{seed}/main", seed)
    del house.index.rows[3]
    assert house.recognizer.reindex() == 5


def test_reindex_rebuilds_when_something_foreign_is_there(house: Any) -> None:
    house.enroll("a/e1/main", 1)
    house.index.rows[1000] = (np.ones(12, np.float32), 1)
    assert house.recognizer.reindex() == 1
    assert list(house.index.rows) == [1]


def test_reindex_rebuilds_when_a_vector_is_another(house: Any) -> None:
    house.enroll("a/e1/main", 1)
    house.enroll("a/e2/main", 2)
    first, second = house.index.rows[1], house.index.rows[2]
    house.index.rows.update({1: second, 2: first})
    house.recognizer.reindex()
    assert house.entries(1)[0] == "e1"


def test_reindex_reports_progress_and_checkpoints(house: Any) -> None:
    house.enroll("a/e1/main", 1)
    seen = []
    house.recognizer.reindex(seen.append)
    assert (seen[-1].done, seen[-1].total, house.index.durable) == (1, 1, 1)


def test_a_failed_index_is_stood_in_for(house: Any, picture: Any) -> None:
    for seed in range(5):
        house.enroll(f"a/e{seed}/main", seed)
    house.index.broken = True
    answer = house.recognizer.recognize(picture(3))
    assert answer.degraded
    assert answer.matches[0].view.entry_id == "e3"


def test_the_stand_in_obeys_the_artist_filter(house: Any) -> None:
    house.enroll("a/e1/main", 1)
    house.enroll("b/e2/main", 2)
    house.index.broken = True
    found = house.recognizer.similar(ViewId("a", "e1", "main"), artist_ids=("b",))
    assert [match.view.artist_id for match in found] == ["b"]


def test_a_large_catalogue_is_not_scanned(house: Any, picture: Any) -> None:
    house.enroll("a/e1/main", 1)
    house.index.broken = True
    house.catalog.counts = lambda: Counts(1, 1, MOST_VIEWS + 1)
    with pytest.raises(StoreError, match="too large"):
        house.recognizer.recognize(picture(1))


def test_status_names_the_failed_part(house: Any) -> None:
    house.enroll("a/e1/main", 1)
    house.index.broken = True
    status = house.recognizer.status()
    assert (status["degraded"], status["index"], status["counts"]["views"]) == (["index"], None, 1)


def test_status_says_that_nothing_was_calibrated(house: Any) -> None:
    assert house.recognizer.status()["calibrated"] is False
