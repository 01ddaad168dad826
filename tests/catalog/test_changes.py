"""Whatever is written, and whenever a follower polls, it ends with exactly the live views."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from arthur.catalog import Catalog, open_catalog
from arthur.types import Counts, NewView, ViewId

NAMES = st.builds(ViewId, st.sampled_from("ab"), st.sampled_from("xy"), st.sampled_from("123"))
ENGINES = {"f": 4, "g": 3}


def new(view: ViewId, fingerprint: str) -> NewView:
    vector = np.eye(ENGINES[fingerprint], dtype=np.float32)[0]
    return NewView(view, vector, fingerprint, "hash", "", "jpeg", 1, 1, 1)


class Follower:
    """Keeps the keys of one engine as an index would."""

    def __init__(self, catalog: Catalog, fingerprint: str) -> None:
        self.catalog = catalog
        self.fingerprint = fingerprint
        self.sequence = 0
        self.live: set[int] = set()

    def poll(self, limit: int) -> bool:
        """Apply one answer and return whether there is more."""
        changes = self.catalog.changes(self.sequence, limit, self.fingerprint)
        assert len(changes.keys) == len(changes.vectors) == len(changes.artists)
        assert len({*changes.keys.tolist(), *changes.removed.tolist()}) <= 2 * limit
        self.live.difference_update(changes.removed.tolist())
        self.live.update(changes.keys.tolist())
        assert not changes.more or self.sequence < changes.upto
        self.sequence = changes.upto
        return changes.more

    def catch_up(self, limit: int) -> set[int]:
        while self.poll(limit):
            pass
        return self.live


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.service("postgresql"))])
def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Catalog]:
    on_postgres = request.param == "postgresql"
    opened = open_catalog(request.getfixturevalue("postgres") if on_postgres else f"sqlite:///{tmp_path}/catalog.db")
    yield opened
    opened.close()


class Histories(RuleBasedStateMachine):
    """Any order of puts, removals and polls."""

    def __init__(self, catalog: Catalog) -> None:
        super().__init__()
        self.catalog = catalog
        # One catalogue serves all runs, which makes its history long, and leaves an engine in force.
        for artist_id in "ab":
            self.catalog.remove(artist_id)
        self.model: dict[ViewId, int] = {}
        self.followers = [Follower(self.catalog, fingerprint) for fingerprint in ENGINES]
        self.sequence = self.catalog.latest()

    @rule(names=st.lists(NAMES, min_size=1, max_size=4))
    def put(self, names: list[ViewId]) -> None:
        for put in self.catalog.put([new(name, self.catalog.engine() or "f") for name in names]):
            self.sequence += 1
            assert put.stored.key == self.sequence
            assert put.replaced_key == self.model.get(put.stored.view)
            self.model[put.stored.view] = put.stored.key

    @rule(fingerprint=st.sampled_from(list(ENGINES)), limit=st.sampled_from([1, 100]))
    def embed(self, fingerprint: str, limit: int) -> None:
        keys = self.catalog.unembedded(fingerprint, 0, limit)
        vectors = np.eye(1, ENGINES[fingerprint], dtype=np.float32).repeat(len(keys), axis=0)
        assert self.catalog.put_vectors(keys, vectors, fingerprint) == len(keys)

    @precondition(lambda self: self.model)
    @rule(fingerprint=st.sampled_from(list(ENGINES)))
    def switch(self, fingerprint: str) -> None:
        lacking = len(self.catalog.unembedded(fingerprint, 0, 1000))
        assert self.catalog.switch(fingerprint) == lacking
        assert lacking or self.catalog.engine() == fingerprint

    @rule(name=NAMES, parts=st.integers(1, 3))
    def remove(self, name: ViewId, parts: int) -> None:
        scope = (name.artist_id, name.entry_id, name.view_id)[:parts]
        gone = [view for view in self.model if (view.artist_id, view.entry_id, view.view_id)[:parts] == scope]
        assert set(self.catalog.remove(*scope).tolist()) == {self.model.pop(view) for view in gone}
        self.sequence += len(gone)

    @rule(follower=st.integers(0, 1), limit=st.sampled_from([1, 2, 100]))
    def poll(self, follower: int, limit: int) -> None:
        self.followers[follower].poll(limit)

    @invariant()
    def the_counts_are_those_of_the_model(self) -> None:
        entries = {(view.artist_id, view.entry_id) for view in self.model}
        assert self.catalog.counts() == Counts(len({artist for artist, _ in entries}), len(entries), len(self.model))
        assert self.catalog.latest() == self.sequence

    def teardown(self) -> None:
        for follower in self.followers:
            self.embed(follower.fingerprint, 1000)
            assert follower.catch_up(limit=2) == set(self.model.values())
            assert follower.sequence == self.sequence


def test_followers_end_with_the_live_views(catalog: Catalog) -> None:
    bounds = settings(max_examples=25, stateful_step_count=20, deadline=None)
    run_state_machine_as_test(lambda: Histories(catalog), settings=bounds)


def live_keys(catalog: Catalog) -> set[int]:
    artists = catalog.artists(cursor=None, limit=1000).rows
    pages = [catalog.views_of(artist.artist_id, None, cursor=None, limit=1000) for artist in artists]
    return {row.key for page in pages for row in page.rows}


def test_followers_keep_up_with_concurrent_writers(catalog: Catalog) -> None:
    done = threading.Event()

    def write(artist_id: str) -> None:
        for i in range(15):
            catalog.put([new(ViewId(artist_id, "e", f"{i % 6}"), "f"), new(ViewId("shared", "e", f"{i % 4}"), "f")])
            catalog.remove(artist_id, "e", f"{(i * 5) % 6}")

    def follow(limit: int) -> set[int]:
        follower = Follower(catalog, "f")
        while not done.is_set():
            follower.poll(limit)
        return follower.catch_up(limit)

    with ThreadPoolExecutor(5) as threads:
        followers = [threads.submit(follow, limit) for limit in (1, 7)]
        for writer in [threads.submit(write, artist_id) for artist_id in "abc"]:
            writer.result()
        done.set()
    assert followers[0].result() == followers[1].result() == live_keys(catalog)
