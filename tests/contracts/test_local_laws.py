"""Any history of puts, removals, checkpoints and restarts leaves a local index that answers as the exact one does."""

from __future__ import annotations

import tempfile

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from arthur.local import open_local
from arthur.types import Filter, Keys
from tests.local_features import described, photo


class History(RuleBasedStateMachine):
    """The catalog is a list of changes; the index is told of them and replays what it lacks after a restart."""

    @initialize(tail=st.sampled_from([1, 4, 20]))
    def start(self, tail: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.url = f"inverted:{self.folder.name}/index?tail={tail}"
        self.index = open_local(self.url, fingerprint="verifier-a")
        self.exact = open_local("exact:", fingerprint="verifier-a")
        self.changes: list[tuple[str, Keys]] = []
        self.next_key = 0

    def apply(self, kind: str, keys: Keys) -> None:
        self.changes.append((kind, keys))
        for index in (self.index, self.exact):
            if kind == "put":
                # every fifth work looks like others
                index.put(keys, described(np.where(keys % 5 == 0, keys % 3, keys)), keys % 4)
            else:
                index.remove(keys)

    @rule(count=st.integers(1, 15))
    def put(self, count: int) -> None:
        self.apply("put", np.arange(self.next_key, self.next_key + count))
        self.next_key += count

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        keys = data.draw(st.lists(st.integers(0, max(self.next_key - 1, 0)), max_size=10, unique=True))
        self.apply("remove", np.array(keys, np.int64))

    @rule()
    def checkpoint(self) -> None:
        self.index.advance(len(self.changes))
        self.index.checkpoint()

    @rule()
    def restart(self) -> None:
        self.index.close()
        self.index = open_local(self.url, fingerprint="verifier-a")
        missed, self.changes = self.changes[self.index.sequence :], self.changes[: self.index.sequence]
        for kind, keys in missed:
            self.apply(kind, keys)

    @rule(seed=st.integers(0, 30), k=st.integers(1, 60), artists=st.none() | st.sets(st.integers(0, 4)))
    def search(self, seed: int, k: int, artists: set[int] | None) -> None:
        where = None if artists is None else Filter(tuple(artists))
        query = photo(seed)
        answer, truth = self.index.search(query, k, where=where), self.exact.search(query, k, where=where)
        known = answer.keys[0][answer.keys[0] >= 0].tolist()
        assert np.allclose(answer.scores, truth.scores, rtol=1e-4)
        assert len(set(known)) == len(known)
        assert artists is None or all(key % 4 in artists for key in known)

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
    max_examples=20, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
