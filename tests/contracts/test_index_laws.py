"""Any history of puts, removals, checkpoints and restarts leaves an index that answers as the exact one does."""

from __future__ import annotations

import tempfile

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from arthur.index import open_index
from arthur.types import Filter, Keys, Vectors

DIM = 16
TOLERANCE = 2e-3


def rows_of(keys: Keys) -> Vectors:
    """Rows that depend on the key alone; every fifth key shares its row with others."""
    seeds = np.where(keys % 5 == 0, keys % 3, keys)
    rows = np.stack([np.random.default_rng(int(seed)).standard_normal(DIM) for seed in seeds])
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


class History(RuleBasedStateMachine):
    """The catalog is a list of changes; the index is told of them and replays what it lacks after a restart."""

    @initialize(tail=st.sampled_from([1, 8, 40]))
    def start(self, tail: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.url = f"usearch:{self.folder.name}/index?tail={tail}&threads=1"
        self.index = open_index(self.url, dim=DIM, fingerprint="engine-a")
        self.exact = open_index("exact:", dim=DIM, fingerprint="engine-a")
        self.changes: list[tuple[str, Keys]] = []
        self.next_key = 0

    def apply(self, kind: str, keys: Keys) -> None:
        self.changes.append((kind, keys))
        for index in (self.index, self.exact):
            if kind == "put":
                index.put(keys, rows_of(keys), keys % 4)
            else:
                index.remove(keys)

    @rule(count=st.integers(1, 60))
    def put(self, count: int) -> None:
        self.apply("put", np.arange(self.next_key, self.next_key + count))
        self.next_key += count

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        keys = data.draw(st.lists(st.integers(0, max(self.next_key - 1, 0)), max_size=30, unique=True))
        self.apply("remove", np.array(keys, np.int64))

    @rule()
    def checkpoint(self) -> None:
        self.index.advance(len(self.changes))
        self.index.checkpoint()

    @rule()
    def restart(self) -> None:
        self.index.close()
        self.index = open_index(self.url, dim=DIM, fingerprint="engine-a")
        for kind, keys in self.changes[self.index.sequence :]:
            if kind == "put":
                self.index.put(keys, rows_of(keys), keys % 4)
            else:
                self.index.remove(keys)

    @rule(seed=st.integers(0, 99), k=st.integers(1, 40), artists=st.none() | st.sets(st.integers(0, 4)))
    def search(self, seed: int, k: int, artists: set[int] | None) -> None:
        where = None if artists is None else Filter(tuple(artists))
        query = rows_of(np.array([seed]))
        answer, truth = self.index.search(query, k, where=where), self.exact.search(query, k, where=where)
        assert np.allclose(answer.scores, truth.scores, atol=TOLERANCE)
        known = answer.keys[0][answer.keys[0] >= 0]
        assert len(set(known.tolist())) == len(known)
        assert len(known) == 0 or np.allclose(rows_of(known) @ query[0], answer.scores[0][: len(known)], atol=TOLERANCE)

    @invariant()
    def sizes_agree(self) -> None:
        if hasattr(self, "index"):
            assert len(self.index) == len(self.exact)

    def teardown(self) -> None:
        if hasattr(self, "index"):
            self.index.close()
            self.folder.cleanup()


TestHistory = History.TestCase
TestHistory.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
