"""The laws of VectorIndex, for every adapter; the exact one is the measure of the others."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from arthur.errors import BadRequest, ConfigError, StoreError
from arthur.index import VectorIndex, open_index
from arthur.index.qdrant import QdrantIndex, connected
from arthur.index.qdrant_url import read_url
from arthur.types import Filter, Keys, Neighbors, Vectors
from tests.qdrant_local import LocalMode

DIM = 32
TOLERANCE = 2e-3
EXACT_ANYWAY = ("ignore:Payload indexes have no effect", "ignore:Local mode performs exact")
QDRANT_URL = os.environ.get("ARTHUR_TEST_QDRANT_URL")

Opener = Callable[[], VectorIndex]


def unit(rows: Vectors) -> Vectors:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def random_rows(n: int, *, seed: int = 1) -> Vectors:
    return unit(np.random.default_rng(seed).standard_normal((n, DIM)).astype(np.float32))


def keys_from(first: int, n: int) -> Keys:
    return np.arange(first, first + n, dtype=np.int64)


def artists_of(keys: Keys) -> Keys:
    return keys % 7


def fill(index: VectorIndex, rows: Vectors, *, first: int = 0) -> Keys:
    keys = keys_from(first, len(rows))
    index.put(keys, rows, artists_of(keys))
    return keys


def found(answer: Neighbors, row: int = 0) -> list[int]:
    return [key for key in answer.keys[row].tolist() if key >= 0]


LOCAL_MODE = pytest.param("qdrant: local mode", marks=pytest.mark.filterwarnings(*EXACT_ANYWAY))
ADAPTERS = [
    "exact:",
    "usearch:{}",
    "usearch:{}?tail=64",
    "usearch:{}?tail=64&threads=1",
    pytest.param("pgvector:", marks=pytest.mark.service("pgvector")),
    "qdrant: engine",
    *(["qdrant: server"] if QDRANT_URL else []),
]


def drop(url: str, name: str) -> None:
    """Leave nothing behind on a server that is not the tests' own."""
    client = connected(read_url(url)[0])[1]
    with closing(client), closing(open_index(url, dim=DIM, fingerprint=name)) as index:
        client.delete_collection(str(index.stats()["collection"]))


@pytest.fixture(params=[*ADAPTERS, LOCAL_MODE])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the index is; one URL that `open_index` does not know means the local mode of Qdrant's client."""
    if request.param == "pgvector:":
        return f"pgvector:{request.getfixturevalue('postgres')}"
    if request.param == "qdrant: engine":
        return f"qdrant://127.0.0.1:{request.getfixturevalue('qdrant_server').port}"
    return str(QDRANT_URL if request.param == "qdrant: server" else request.param.format(tmp_path / "index"))


@pytest.fixture
def opening(url: str) -> Iterator[Opener]:
    """What opens an index, and the same one again."""
    client: Any = LocalMode()
    name = f"engine-{uuid4()}"
    if url == "qdrant: local mode":
        yield lambda: QdrantIndex((client, client), dim=DIM, fingerprint=name)
    else:
        yield lambda: open_index(url, dim=DIM, fingerprint=name)
    if url == QDRANT_URL:
        drop(url, name)


@pytest.fixture
def opened(opening: Opener) -> Iterator[Opener]:
    indices: list[VectorIndex] = []

    def opener() -> VectorIndex:
        indices.append(opening())
        return indices[-1]

    yield opener
    for index in indices:
        index.close()


@pytest.fixture
def index(opened: Opener) -> VectorIndex:
    return opened()


def test_a_new_index_is_empty(index: VectorIndex) -> None:
    answer = index.search(random_rows(2), 3)
    assert (len(index), index.sequence) == (0, 0)
    assert (answer.keys == -1).all()
    assert (answer.scores == -np.inf).all()


def test_every_put_key_finds_itself_first(index: VectorIndex) -> None:
    rows = random_rows(500)
    keys = fill(index, rows)
    index.checkpoint()
    answer = index.search(rows, 1)
    assert answer.keys[:, 0].tolist() == keys.tolist()
    assert np.allclose(answer.scores[:, 0], 1, atol=TOLERANCE)


def test_answers_equal_exact_comparison(index: VectorIndex) -> None:
    rows, queries = random_rows(400), random_rows(20, seed=2)
    fill(index, rows)
    index.checkpoint()
    answer = index.search(queries, 10)
    truth = np.sort(queries @ rows.T, axis=1)[:, ::-1][:, :10]
    assert np.allclose(answer.scores, truth, atol=TOLERANCE)


def test_answers_have_the_promised_form(index: VectorIndex) -> None:
    fill(index, random_rows(5))
    answer = index.search(random_rows(3, seed=2), 8)
    assert answer.keys.shape == answer.scores.shape == (3, 8)
    assert (answer.keys.dtype, answer.scores.dtype) == (np.int64, np.float32)
    assert (answer.keys[:, 5:] == -1).all()
    assert (np.diff(answer.scores[:, :5], axis=1) <= 0).all()


def test_no_query_rows_give_no_answer_rows(index: VectorIndex) -> None:
    fill(index, random_rows(5))
    assert index.search(random_rows(0), 4).keys.shape == (0, 4)


def test_put_of_nothing_changes_nothing(index: VectorIndex) -> None:
    fill(index, random_rows(0))
    assert len(index) == 0


def test_a_present_key_is_left_as_it_is(index: VectorIndex) -> None:
    rows = random_rows(2)
    fill(index, rows[:1])
    fill(index, rows[1:])
    assert len(index) == 1
    assert index.search(rows[:1], 1).scores[0, 0] == pytest.approx(1, abs=TOLERANCE)


def test_a_key_repeated_in_one_put_counts_once(index: VectorIndex) -> None:
    rows = random_rows(2)
    index.put(np.array([4, 4]), rows, np.array([1, 1]))
    assert len(index) == 1
    assert index.search(rows[:1], 5).scores[0, 0] == pytest.approx(1, abs=TOLERANCE)


@pytest.mark.parametrize("checkpoints", [0, 1])
def test_removed_keys_are_not_found_again(index: VectorIndex, checkpoints: int) -> None:
    rows = random_rows(300)
    keys = fill(index, rows)
    for _ in range(checkpoints):
        index.checkpoint()
    assert index.remove(keys[:100]) == 100
    fill(index, rows[:150])
    assert len(index) == 200
    assert index.search(rows[:100], 200).keys.min() >= 100


def test_remove_counts_what_was_there(index: VectorIndex) -> None:
    fill(index, random_rows(3))
    assert index.remove(np.array([1, 1, 77])) == 1
    assert index.remove(np.array([1])) == 0


def test_a_key_removed_before_its_put_stays_away(index: VectorIndex) -> None:
    index.remove(np.array([0]))
    fill(index, random_rows(2))
    assert found(index.search(random_rows(1), 5)) == [1]


def test_removing_whole_neighbourhoods_leaves_the_rest_findable(index: VectorIndex) -> None:
    rows = np.concatenate([unit(random_rows(1) + 0.01 * random_rows(600, seed=3)), random_rows(300, seed=4)])
    keys = fill(index, rows)
    index.checkpoint()
    index.remove(keys[:600])
    truth = np.sort(rows[600:] @ rows[0])[::-1][:20]
    assert np.allclose(index.search(rows[:1], 20).scores[0], truth, atol=TOLERANCE)


@pytest.mark.parametrize("artists", [(), (3,), (1, 5, 6, 99), tuple(range(7)), (99,)])
def test_a_filter_restricts_to_its_artists(index: VectorIndex, artists: tuple[int, ...]) -> None:
    rows = random_rows(700)
    keys = fill(index, rows)
    index.checkpoint()
    allowed = np.isin(artists_of(keys), artists)
    answer = index.search(rows[:5], 12, where=Filter(artists))
    truth = np.sort(rows[:5] @ rows[allowed].T, axis=1)[:, ::-1][:, :12]
    assert np.isin(artists_of(answer.keys[answer.keys >= 0]), artists).all()
    assert np.allclose(answer.scores[:, : truth.shape[1]], truth, atol=TOLERANCE)
    assert (answer.keys[:, truth.shape[1] :] == -1).all()


@pytest.mark.parametrize("url", ADAPTERS, indirect=True)  # local mode takes seconds, and is exact at any size
@pytest.mark.parametrize("artists", [(), (1,), (0, 2, 3, 4, 6), tuple(range(7))])
def test_answers_about_many_rows_are_nearly_exact(index: VectorIndex, artists: tuple[int, ...]) -> None:
    rows, queries = random_rows(6000), random_rows(40, seed=2)
    keys = fill(index, rows)
    index.checkpoint()
    allowed = np.flatnonzero(np.isin(artists_of(keys), artists or range(7)))
    answer = index.search(queries, 10, where=Filter(artists) if artists else None)
    truth = np.argsort(-queries @ rows[allowed].T, axis=1)[:, :10]
    hits = [len(np.intersect1d(a, allowed[t])) for a, t in zip(answer.keys, truth, strict=True)]
    assert sum(hits) >= 0.97 * 400


def test_many_identical_vectors_do_not_hide_others(index: VectorIndex) -> None:
    rows = random_rows(600)
    rows[100:] = rows[100]
    fill(index, rows)
    index.checkpoint()
    assert index.search(rows[:100], 1).keys[:, 0].tolist() == list(range(100))
    assert sorted(found(index.search(rows[100:101], 500))) == list(range(100, 600))


@pytest.mark.parametrize("k", [0, -1, 1001])
def test_an_impossible_k_is_refused(index: VectorIndex, k: int) -> None:
    with pytest.raises(BadRequest, match="k must be"):
        index.search(random_rows(1), k)


@pytest.mark.parametrize("shape", [(DIM,), (2, DIM + 1), (1, 2, DIM)])
def test_vectors_of_another_shape_are_refused(index: VectorIndex, shape: tuple[int, ...]) -> None:
    rows = np.full(shape, 1, np.float32)
    with pytest.raises(BadRequest):
        index.put(keys_from(0, len(rows)), rows, keys_from(0, len(rows)))
    with pytest.raises(BadRequest):
        index.search(rows, 1)


def test_arrays_of_different_lengths_are_refused(index: VectorIndex) -> None:
    with pytest.raises(BadRequest):
        index.put(keys_from(0, 2), random_rows(3), keys_from(0, 3))
    with pytest.raises(BadRequest):
        index.put(keys_from(0, 3), random_rows(3), keys_from(0, 2))


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf, 1.0])
def test_rows_that_are_not_unit_vectors_are_refused_whole(index: VectorIndex, value: float) -> None:
    rows = random_rows(3)
    rows[1] = value
    with pytest.raises(BadRequest, match="vector 1 "):
        fill(index, rows)
    with pytest.raises(BadRequest, match="vector 1 "):
        index.search(rows, 1)
    assert len(index) == 0


def test_negative_keys_are_refused(index: VectorIndex) -> None:
    with pytest.raises(BadRequest):
        index.put(np.array([-1]), random_rows(1), np.array([0]))


def test_the_largest_key_and_any_artist_are_taken(index: VectorIndex) -> None:
    key, artist = 2**63 - 1, -(2**63)
    index.put(np.array([key]), random_rows(1), np.array([artist]))
    index.checkpoint()
    assert found(index.search(random_rows(1), 2, where=Filter((artist,)))) == [key]


def test_the_sequence_never_goes_back(index: VectorIndex) -> None:
    index.advance(9)
    index.advance(4)
    assert index.sequence == 9


def test_statistics_tell_the_number_of_keys(index: VectorIndex) -> None:
    fill(index, random_rows(3))
    assert index.stats()["keys"] == 3


def test_a_closed_index_refuses_work(index: VectorIndex) -> None:
    index.close()
    index.close()
    with pytest.raises(StoreError):
        index.search(random_rows(1), 1)
    with pytest.raises(StoreError):
        fill(index, random_rows(1))


def test_replay_after_reopening_gives_the_same_answers(opened: Opener) -> None:
    rows = random_rows(300)
    first = opened()
    keys = fill(first, rows[:200])
    first.advance(200)
    first.checkpoint()
    first.remove(keys[:50])
    fill(first, rows[200:], first=200)
    before = first.search(rows[::10], 5)
    first.close()
    second = opened()
    assert second.sequence in {0, 200}
    fill(second, rows)
    second.remove(keys[:50])
    assert len(second) == 250
    assert np.allclose(second.search(rows[::10], 5).scores, before.scores, atol=TOLERANCE)


def test_removals_are_kept_by_a_checkpoint(opened: Opener) -> None:
    rows = random_rows(300)
    first = opened()
    keys = fill(first, rows)
    first.checkpoint()
    first.remove(keys[:20])
    first.advance(320)
    first.checkpoint()
    first.close()
    second = opened()
    if second.sequence == 0:
        fill(second, rows)
        second.remove(keys[:20])
    assert len(second) == 280
    assert second.search(rows[:20], 300).keys[:, :280].min() == 20


def test_searches_see_finished_puts_while_others_write(index: VectorIndex) -> None:
    rows = random_rows(1200)
    missed: list[int] = []

    def write(part: int) -> None:
        for at in range(part, len(rows), 40):
            fill(index, rows[at : at + 10], first=at)
            missed.extend(set(range(at, at + 10)) - set(index.search(rows[at : at + 10], 1).keys[:, 0].tolist()))

    writers = [threading.Thread(target=write, args=(part,)) for part in (0, 10, 20, 30)]
    for writer in writers:
        writer.start()
    index.checkpoint()
    for writer in writers:
        writer.join()
    assert missed == []
    assert len(index) == len(rows)


@pytest.mark.parametrize("url", ["", "exact:/x", "usearch:", "usearch:/x?tial=3", "usearch:/x?tail=a", "faiss:/x"])
def test_a_url_of_another_form_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        open_index(url, dim=DIM, fingerprint="engine-a")
