"""Claims of the index in Qdrant beyond the contract, by the real engine behind a stand-in of the server."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qdrant_client import QdrantClient

from arthur.errors import StoreError
from arthur.index.qdrant import QdrantIndex, connected
from arthur.index.qdrant_url import Layout, read_url
from arthur.types import Filter, Vectors
from tests.private_servers import PrivateServer, free_port, private_qdrant
from tests.qdrant_local import LocalMode

DIM = 16
Opener = Callable[..., QdrantIndex]


def rows(count: int, *, seed: int = 1) -> Vectors:
    found = np.random.default_rng(seed).standard_normal((count, DIM)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def index_at(port: int, name: str, layout: Layout = Layout()) -> QdrantIndex:  # noqa: B008  # frozen
    place, _ = read_url(f"qdrant://127.0.0.1:{port}?timeout_s=20")
    return QdrantIndex(connected(place), dim=DIM, fingerprint=name, layout=layout)


@pytest.fixture
def opened(qdrant_server: PrivateServer) -> Iterator[Opener]:
    indices: list[QdrantIndex] = []
    name = uuid4().hex

    def opener(fingerprint: str = "engine", layout: Layout = Layout()) -> QdrantIndex:  # noqa: B008  # frozen
        indices.append(index_at(qdrant_server.port, f"{fingerprint}@{name}", layout))
        return indices[-1]

    yield opener
    for index in indices:
        index.close()


@pytest.fixture
def server_client(qdrant_server: PrivateServer) -> Iterator[QdrantClient]:
    with closing(QdrantClient(grpc_port=qdrant_server.port, prefer_grpc=True, check_compatibility=False)) as client:
        yield client


def fill(index: QdrantIndex, count: int) -> Vectors:
    vectors = rows(count)
    keys = np.arange(count)
    index.put(keys, vectors, keys % 5)
    return vectors


def test_what_one_process_puts_another_finds(opened: Opener) -> None:
    first, second = opened(), opened()
    vectors = fill(first, 20)
    first.advance(20)
    assert (second.sequence, len(second)) == (20, 20)
    assert second.search(vectors, 1).keys[:, 0].tolist() == list(range(20))


def test_a_slower_process_brings_back_nothing(opened: Opener) -> None:
    fast, slow = opened(), opened()
    fill(fast, 20)
    fast.remove(np.arange(10))
    fast.advance(30)
    fill(slow, 20)
    slow.advance(20)
    assert (len(slow), slow.sequence) == (10, 30)
    assert slow.search(rows(20), 20).keys[:, :10].min() == 10


def test_engines_and_numbers_of_shards_do_not_meet(opened: Opener) -> None:
    fill(opened("one"), 5)
    assert len(opened("another")) == 0
    assert len(opened("one", Layout(shards=2))) == 0
    assert len(opened("one", Layout(quantization="none"))) == 5


@pytest.mark.parametrize("quantization", ["int8", "none"])
def test_graphs_find_nearly_all_under_any_filter(opened: Opener, quantization: str) -> None:
    index = opened(layout=Layout(graph_from_kb=10, full_scan_kb=1, quantization=quantization))
    vectors, queries = fill(index, 1500), rows(20, seed=2)
    end = time.monotonic() + 60
    while index.stats()["in_graphs"] != 1500:
        assert time.monotonic() < end
        time.sleep(0.02)
    for artists in (None, (1,), (0, 2, 3, 4)):
        allowed = np.flatnonzero(np.isin(np.arange(1500) % 5, range(5) if artists is None else artists))
        answer = index.search(queries, 10, where=None if artists is None else Filter(artists))
        truth = allowed[np.argsort(-queries @ vectors[allowed].T, axis=1)[:, :10]]
        assert sum(len(np.intersect1d(*pair)) for pair in zip(answer.keys, truth, strict=True)) >= 190


def test_a_collection_that_was_dropped_is_made_again_and_replayed(opened: Opener, server_client: QdrantClient) -> None:
    index = opened()
    vectors = fill(index, 10)
    index.advance(10)
    server_client.delete_collection(str(index.stats()["collection"]))
    with pytest.raises(StoreError, match="was removed"):
        index.search(vectors, 1)
    assert (index.sequence, len(index)) == (0, 0)
    fill(index, 10)
    assert index.search(vectors, 1).keys[:, 0].tolist() == list(range(10))


def test_an_index_that_is_closed_under_searches_says_so(opened: Opener) -> None:
    index, told = opened(), list[StoreError]()
    vectors = fill(index, 10)

    def search() -> None:
        try:
            while True:
                index.search(vectors, 1)
        except StoreError as error:
            told.append(error)

    searches = [threading.Thread(target=search) for _ in range(4)]
    for one in searches:
        one.start()
    index.close()
    for one in searches:
        one.join(30)
    assert len(told) == 4


def test_another_layout_is_taken_up(opened: Opener, server_client: QdrantClient) -> None:
    name = str(opened().stats()["collection"])
    wanted = Layout(replicas=2, on_disk=False, search_ef=300)
    opened(layout=wanted).advance(1)
    kept = server_client.get_collection(name).config.metadata or {}
    assert kept["layout"] == wanted.kept
    assert "search_ef" not in kept["layout"]


def test_an_old_server_is_refused() -> None:
    too_old = pytest.raises(StoreError, match=r"Qdrant 1\.16\.3, which is too old")
    with closing(private_qdrant("1.16.3")) as old, closing(index_at(old.port, "engine")) as index, too_old:
        fill(index, 1)


def test_a_server_out_of_reach_is_told_at_once() -> None:
    with closing(index_at(free_port(), "engine")) as index:
        begin = time.monotonic()
        with pytest.raises(StoreError, match=r"does not answer as expected \(unavailable\)"):
            fill(index, 1)
        assert time.monotonic() - begin < 10


Change = tuple[str, int]
CHANGES = st.lists(st.tuples(st.sampled_from(["put", "remove", "advance"]), st.integers(0, 12)), max_size=25)


def apply(index: QdrantIndex, changes: list[Change]) -> None:
    vectors = rows(13)
    for kind, key in changes:
        if kind == "put":
            index.put(np.array([key]), vectors[key : key + 1], np.array([key % 3]))
        elif kind == "remove":
            index.remove(np.array([key]))
        else:
            index.advance(key)


@pytest.mark.filterwarnings("ignore:Payload indexes have no effect", "ignore:Local mode performs exact")
@settings(max_examples=40)
@given(changes=CHANGES, repeated=st.integers(0, 10), order=st.randoms(use_true_random=False))
def test_changes_give_the_same_in_any_order_and_when_repeated(
    changes: list[Change], repeated: int, order: random.Random
) -> None:
    client: Any = LocalMode()
    one, other = (QdrantIndex((client, client), dim=DIM, fingerprint=name) for name in ("one", "other"))
    apply(one, changes)
    apply(other, order.sample(again := changes + changes[:repeated], len(again)))
    assert (len(one), one.sequence) == (len(other), other.sequence)
    assert np.array_equal(one.search(rows(3), 13).keys, other.search(rows(3), 13).keys)
