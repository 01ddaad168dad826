"""The laws of LocalIndex, for every adapter; the exact one is the measure of the others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from arthur.errors import BadRequest, ConfigError, StoreError
from arthur.local import LocalIndex, open_local
from arthur.types import Filter, Keys, LocalQuery, Neighbors
from tests.local_features import described, drawing, nothing, packed, photo

TOLERANCE = 1e-4

Opener = Callable[[], LocalIndex]


def keys_from(first: int, n: int) -> Keys:
    return np.arange(first, first + n, dtype=np.int64)


def artists_of(keys: Keys) -> Keys:
    return keys % 7


def fill(index: LocalIndex, n: int, *, first: int = 0) -> Keys:
    keys = keys_from(first, n)
    index.put(keys, described(keys), artists_of(keys))
    return keys


def found(answer: Neighbors) -> list[int]:
    return [key for key in answer.keys[0].tolist() if key >= 0]


def best(index: LocalIndex, keys: Keys) -> list[int]:
    return [int(index.search(photo(key), 1).keys[0, 0]) for key in keys.tolist()]


@pytest.fixture(params=["exact:", "inverted:{}", "inverted:{}?tail=16", "inverted:{}?tail=1"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    url = request.param.format(tmp_path / "index")
    indices: list[LocalIndex] = []

    def opener() -> LocalIndex:
        indices.append(open_local(url, fingerprint="verifier-a"))
        return indices[-1]

    yield opener
    for index in indices:
        index.close()


@pytest.fixture
def index(opened: Opener) -> LocalIndex:
    return opened()


def test_a_new_index_is_empty(index: LocalIndex) -> None:
    answer = index.search(photo(1), 3)
    assert (len(index), index.sequence) == (0, 0)
    assert (answer.keys == -1).all()
    assert (answer.scores == -np.inf).all()


def test_every_put_work_is_found_first(index: LocalIndex) -> None:
    keys = fill(index, 50)
    index.checkpoint()
    assert best(index, keys) == keys.tolist()


@pytest.mark.parametrize("turn", [0.0, 1.6, 3.1, -2.0])
@pytest.mark.parametrize("size", [0.25, 1.0])
def test_a_photo_may_be_turned_and_smaller(index: LocalIndex, turn: float, size: float) -> None:
    fill(index, 20)
    answer = index.search(photo(4, turn=turn, size=size), 2)
    assert answer.keys[0, 0] == 4
    assert answer.scores[0, 0] > 2 * max(answer.scores[0, 1], 0)


def test_matches_that_disagree_on_the_place_weigh_little(index: LocalIndex) -> None:
    fill(index, 20)
    sound = photo(4)
    mixed = replace(sound, points=np.random.default_rng(3).permutation(sound.points))
    assert index.search(mixed, 1).scores[0, 0] < 0.5 * index.search(sound, 1).scores[0, 0]


def test_answers_have_the_promised_form(index: LocalIndex) -> None:
    fill(index, 5)
    answer = index.search(photo(2), 8)
    kept = len(found(answer))
    assert answer.keys.shape == answer.scores.shape == (1, 8)
    assert (answer.keys.dtype, answer.scores.dtype) == (np.int64, np.float32)
    assert (np.diff(answer.scores[0, :kept]) <= 0).all()
    assert (answer.keys[0, kept:] == -1).all()
    assert (answer.scores[0, kept:] == -np.inf).all()


def test_a_photo_without_features_finds_nothing(index: LocalIndex) -> None:
    fill(index, 5)
    assert found(index.search(nothing(), 3)) == []


def test_a_work_without_features_is_never_found(index: LocalIndex) -> None:
    index.put(np.array([3]), [packed(drawing(3, n=0))], np.array([0]))
    index.checkpoint()
    assert len(index) == 1
    assert found(index.search(photo(3), 3)) == []


def test_put_of_nothing_changes_nothing(index: LocalIndex) -> None:
    fill(index, 0)
    assert len(index) == 0


def test_a_present_key_is_left_as_it_is(index: LocalIndex) -> None:
    index.put(np.array([0]), described(np.array([8])), np.array([0]))
    fill(index, 1)
    assert len(index) == 1
    assert best(index, np.array([8])) == [0]


def test_a_key_repeated_in_one_put_counts_once(index: LocalIndex) -> None:
    index.put(np.array([4, 4]), described(np.array([8, 9])), np.array([1, 1]))
    alone = index.search(photo(8), 5)
    assert len(index) == 1
    assert found(alone) == [4]
    assert alone.scores[0, 0] > 0.5


def test_keys_may_come_in_any_order(index: LocalIndex) -> None:
    keys = np.array([9, 2, 7, 1, 30])
    index.put(keys, described(keys), artists_of(keys))
    index.checkpoint()
    assert best(index, keys) == keys.tolist()


@pytest.mark.parametrize("checkpoints", [0, 1])
def test_removed_keys_are_not_found_again(index: LocalIndex, checkpoints: int) -> None:
    keys = fill(index, 40)
    for _ in range(checkpoints):
        index.checkpoint()
    assert index.remove(keys[:15]) == 15
    fill(index, 20)
    assert len(index) == 25
    assert min(min(found(index.search(photo(key), 40)), default=15) for key in range(15)) >= 15


def test_remove_counts_what_was_there(index: LocalIndex) -> None:
    fill(index, 3)
    assert index.remove(np.array([1, 1, 77])) == 1
    assert index.remove(np.array([1])) == 0


def test_a_key_removed_before_its_put_stays_away(index: LocalIndex) -> None:
    index.remove(np.array([0]))
    fill(index, 2)
    assert len(index) == 1
    assert 0 not in found(index.search(photo(0), 5))


def test_scores_do_not_depend_on_what_was_removed(opened: Opener) -> None:
    index = opened()
    fill(index, 30)
    before = index.search(photo(5), 30)
    fill(index, 30, first=100)
    index.checkpoint()
    index.remove(keys_from(100, 30))
    after = index.search(photo(5), 30)
    assert np.allclose(after.scores, before.scores, rtol=TOLERANCE)


@pytest.mark.parametrize("artists", [(), (3,), (1, 5, 6, 99), tuple(range(7)), (99,)])
def test_a_filter_keeps_what_the_whole_answer_has_of_its_artists(index: LocalIndex, artists: tuple[int, ...]) -> None:
    fill(index, 60)
    index.checkpoint()
    whole = index.search(photo(11), 60)
    answer = index.search(photo(11), 60, where=Filter(artists))
    kept = np.isin(artists_of(whole.keys[0]), artists) & (whole.keys[0] >= 0)
    assert np.allclose(answer.scores[0, : kept.sum()], whole.scores[0, kept], rtol=TOLERANCE)
    assert set(found(answer)) == set(whole.keys[0, kept].tolist())


@pytest.mark.parametrize("k", [0, -1, 1001])
def test_an_impossible_k_is_refused(index: LocalIndex, k: int) -> None:
    with pytest.raises(BadRequest, match="k must be"):
        index.search(photo(1), k)


@pytest.mark.parametrize("damaged", [b"", b"ALF1", b"\0" * 16, packed(drawing(1))[:-1], packed(drawing(1)) + b"\0"])
def test_features_that_are_not_packed_ones_are_refused_whole(index: LocalIndex, damaged: bytes) -> None:
    with pytest.raises(BadRequest, match="packed local features"):
        index.put(keys_from(0, 2), [packed(drawing(1)), damaged], keys_from(0, 2))
    assert len(index) == 0


def test_arrays_of_different_lengths_are_refused(index: LocalIndex) -> None:
    with pytest.raises(BadRequest):
        index.put(keys_from(0, 2), described(keys_from(0, 3)), keys_from(0, 3))
    with pytest.raises(BadRequest):
        index.put(keys_from(0, 3), described(keys_from(0, 3)), keys_from(0, 2))


def test_negative_keys_are_refused(index: LocalIndex) -> None:
    with pytest.raises(BadRequest):
        index.put(np.array([-1]), [packed(drawing(1))], np.array([0]))


def test_the_largest_key_and_any_artist_are_taken(index: LocalIndex) -> None:
    key, artist = 2**63 - 1, -(2**63)
    index.put(np.array([key]), [packed(drawing(1))], np.array([artist]))
    index.checkpoint()
    assert found(index.search(photo(1), 2, where=Filter((artist,)))) == [key]


def test_the_sequence_never_goes_back(index: LocalIndex) -> None:
    index.advance(9)
    index.advance(4)
    assert index.sequence == 9


def test_statistics_tell_the_number_of_keys(index: LocalIndex) -> None:
    fill(index, 3)
    assert (index.stats()["keys"], index.stats()["postings"]) == (3, 3 * 24)


def test_a_closed_index_refuses_work(index: LocalIndex) -> None:
    index.close()
    index.close()
    with pytest.raises(StoreError):
        index.search(photo(1), 1)
    with pytest.raises(StoreError):
        fill(index, 1)


def test_replay_after_reopening_gives_the_same_answers(opened: Opener) -> None:
    first = opened()
    keys = fill(first, 30)
    first.advance(30)
    first.checkpoint()
    first.remove(keys[:8])
    fill(first, 20, first=30)
    before = first.search(photo(12), 50)
    first.close()
    second = opened()
    assert second.sequence in {0, 30}
    fill(second, 50)
    second.remove(keys[:8])
    assert len(second) == 42
    assert np.allclose(second.search(photo(12), 50).scores, before.scores, rtol=TOLERANCE)


def test_searches_see_finished_puts_while_others_write(index: LocalIndex) -> None:
    missed: list[int] = []

    def write(part: int) -> None:
        for at in range(part, 120, 12):
            keys = fill(index, 3, first=at)
            missed.extend(set(keys.tolist()) - set(best(index, keys)))

    writers = [threading.Thread(target=write, args=(part,)) for part in (0, 3, 6, 9)]
    for writer in writers:
        writer.start()
    index.checkpoint()
    for writer in writers:
        writer.join()
    assert missed == []
    assert len(index) == 120


@pytest.mark.parametrize(
    "change",
    [
        {"words": np.zeros((24, 3), np.uint16)},
        {"words": np.zeros(24, np.uint16)},
        {"words": np.zeros((24, 2), np.int64)},
        {"points": np.zeros((24, 3), np.float32)},
        {"points": np.full((24, 2), np.nan, np.float32)},
        {"scales": np.zeros(24, np.float32)},
        {"angles": np.full(24, np.inf, np.float32)},
    ],
)
def test_a_query_of_another_form_cannot_be_made(change: dict[str, np.ndarray]) -> None:
    sound = photo(1)
    parts = {name: getattr(sound, name) for name in ("words", "signatures", "points", "scales", "angles")}
    with pytest.raises(BadRequest):
        LocalQuery(**{**parts, **change})


@pytest.mark.parametrize(
    "url",
    ["", "exact:/x", "inverted:", "inverted:/x?tial=3", "inverted:/x?tail=a", "inverted:/x?threshold=33", "faiss:/x"],
)
def test_a_url_of_another_form_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        open_local(url, fingerprint="verifier-a")
