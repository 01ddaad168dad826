"""Claims of the index in PostgreSQL beyond the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import psycopg
import pytest

from arthur.errors import ConfigError, StoreError
from arthur.index import open_index
from arthur.index.pgvector import PgvectorIndex
from arthur.types import Filter, Vectors

pytestmark = pytest.mark.service("pgvector")

DIM = 16
Opener = Callable[..., PgvectorIndex]


def rows(count: int, *, seed: int = 1) -> Vectors:
    found = np.random.default_rng(seed).standard_normal((count, DIM)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


@pytest.fixture
def opened(postgres: str) -> Iterator[Opener]:
    indices: list[PgvectorIndex] = []

    def opener(fingerprint: str = "engine", exact_rows: int = 20_000) -> PgvectorIndex:
        indices.append(PgvectorIndex(postgres, dim=DIM, fingerprint=fingerprint, exact_rows=exact_rows))
        return indices[-1]

    yield opener
    for index in indices:
        index.close()


def fill(index: PgvectorIndex, count: int) -> Vectors:
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
    fill(slow, 20)
    assert len(slow) == 10
    assert slow.search(rows(20), 20).keys[:, :10].min() == 10


def test_engines_do_not_meet(opened: Opener) -> None:
    fill(opened("one"), 5)
    assert len(opened("another")) == 0


@pytest.mark.slow
def test_a_graph_finds_nearly_all_under_any_filter(opened: Opener, postgres: str) -> None:
    index = opened(exact_rows=100)
    vectors = fill(index, 1500)
    index.checkpoint()
    with psycopg.connect(postgres) as connection:
        graphs = "SELECT count(*) FROM pg_indexes WHERE schemaname = current_schema() AND indexdef LIKE '%hnsw%'"
        assert connection.execute(graphs).fetchone() == (1,)
    queries = rows(20, seed=2)
    for artists in (None, (1,), (0, 2, 3, 4)):
        allowed = np.flatnonzero(np.isin(np.arange(1500) % 5, range(5) if artists is None else artists))
        answer = index.search(queries, 10, where=None if artists is None else Filter(artists))
        truth = allowed[np.argsort(-queries @ vectors[allowed].T, axis=1)[:, :10]]
        assert sum(len(np.intersect1d(*pair)) for pair in zip(answer.keys, truth, strict=True)) >= 190


@pytest.mark.slow
def test_a_graph_forgets_what_was_removed(opened: Opener) -> None:
    index = opened(exact_rows=10)
    vectors = fill(index, 600)
    index.checkpoint()
    index.remove(np.arange(300))
    assert index.search(vectors[:10], 250).keys.min() >= 300


@pytest.mark.parametrize("table", ["arthur_index_%", "arthur_ind%"])
def test_a_table_that_was_dropped_is_made_again_and_replayed(opened: Opener, postgres: str, table: str) -> None:
    index = opened()
    vectors = fill(index, 10)
    index.advance(10)
    with psycopg.connect(postgres, autocommit=True) as connection:
        tables = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename LIKE %s"
        for (name,) in connection.execute(tables, [table]).fetchall():
            connection.execute(f"DROP TABLE {name}")
    with pytest.raises(StoreError, match="was removed"):
        index.search(vectors, 1)
    assert (index.sequence, len(index)) == (0, 0)
    fill(index, 10)
    assert index.search(vectors, 1).keys[:, 0].tolist() == list(range(10))


def test_a_url_that_cannot_be_read_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="database URL"):
        open_index("pgvector:postgresql://h/d?nonsense=1", dim=DIM, fingerprint="engine")


def test_a_database_out_of_reach_is_a_store_error() -> None:
    index = open_index("pgvector:postgresql://127.0.0.1:1/d", dim=DIM, fingerprint="engine")
    with pytest.raises(StoreError, match="does not answer"):
        index.search(rows(1), 1)
