"""A request holds one model from its beginning to its end, and the catalog's choice is obeyed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arthur.catalog import Catalog, open_catalog
from arthur.errors import ConfigError, EngineError
from arthur.index.exact import ExactIndex
from arthur.jobs.announcing import Waits, announced
from arthur.jobs.changing import ModelChange
from arthur.recognition.lookout import Lookout
from arthur.recognition.parts import Parts
from arthur.recognition.renewal import RenewableIndex
from arthur.recognizer import Enrolment, Recognizer
from arthur.types import Query, ViewId
from tests.models import SPEC, BlockEncoder, House, ModelBlobs, picture

BEFORE, AFTER = "b" * 64, "a" * 64
SCORES = Query(verify="never")


class TurnedEncoder(BlockEncoder):
    """Gives the vectors of BlockEncoder, turned by the seed: alike among themselves, unlike those of another seed."""

    def __init__(self, fingerprint: str) -> None:
        super().__init__()
        self.spec = replace(SPEC, name=fingerprint[0], fingerprint=fingerprint)
        noise = np.random.default_rng(ord(fingerprint[0])).standard_normal((12, 12))
        self.turn = np.linalg.qr(noise)[0].astype(np.float32)
        self.closed = False
        self.meanwhile: list[Callable[[], None]] = []

    def encode(self, pixels: Any) -> Any:
        assert not self.closed
        while self.meanwhile:
            self.meanwhile.pop()()
        return super().encode(pixels) @ self.turn

    def close(self) -> None:
        self.closed = True


class Worker:
    """One process on a catalogue: it opens engines by their fingerprints, unless `missing` names them."""

    def __init__(self, url: str, blobs: ModelBlobs, opened: ExitStack) -> None:
        self.catalog: Catalog = open_catalog(url)
        opened.callback(self.catalog.close)
        self.missing: set[str] = set()
        self.opening, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()
        self.encoders: list[TurnedEncoder] = []
        self.house = House(self.catalog, blobs=blobs)
        self.recognizer = Recognizer(self.parts(BEFORE), self.house.options, reopen=self.reopen)
        opened.callback(self.recognizer.close)

    def parts(self, fingerprint: str) -> Parts:
        encoder = TurnedEncoder(fingerprint)
        self.encoders.append(encoder)
        index = RenewableIndex(lambda _: ExactIndex(dim=SPEC.dim), self.catalog, fingerprint=fingerprint)
        return replace(self.house.parts, encoder=encoder, index=index, close=encoder.close)

    def reopen(self, fingerprint: str) -> Parts:
        if fingerprint in self.missing:
            raise ConfigError("there is no such engine")
        self.opening.set()
        assert self.go_on.wait(60)
        return self.parts(fingerprint)

    def change(self, fingerprint: str) -> None:
        with closing(self.parts(fingerprint)) as parts:
            change = ModelChange(parts)
            change.embed(lambda _: None)
            change.index(lambda _: None)
            change.switch()

    def enroll(self, seed: int) -> None:
        self.recognizer.enroll(Enrolment(ViewId("a", f"e{seed}", "main"), picture(seed)))

    def asks(self, seed: int) -> tuple[str, bool]:
        """Ask for a picture; return the engine that answered, and whether it knew its own vector of the picture."""
        answer = self.recognizer.recognize(picture(seed), SCORES)
        best = answer.matches[0]
        return answer.engine[0], best.view.entry_id == f"e{seed}" and best.score > 0.999


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Worker]]:
    """Start a worker on the catalogue of the test."""
    with ExitStack() as opened:
        yield partial(Worker, f"sqlite:///{tmp_path}/catalog.db", ModelBlobs(), opened)


@pytest.fixture
def worker(start: Callable[[], Worker]) -> Worker:
    """A worker with six works."""
    started = start()
    for seed in range(6):
        started.enroll(seed)
    return started


def settled(worker: Worker, engine: str) -> None:
    """Ask until the engine answers."""
    while worker.asks(0)[0] != engine:
        worker.opening.wait(0.01)


def test_a_switch_is_followed_and_the_engine_before_is_closed(worker: Worker) -> None:
    worker.change(AFTER)
    settled(worker, "a")
    assert [worker.asks(seed) for seed in range(6)] == [("a", True)] * 6
    worker.recognizer.close()
    assert [encoder.closed for encoder in worker.encoders] == [True] * 3


def test_the_engine_before_answers_until_the_new_one_is_there(worker: Worker) -> None:
    worker.go_on.clear()
    worker.change(AFTER)
    assert [worker.asks(seed) for seed in range(6)] == [("b", True)] * 6
    assert worker.opening.wait(60)
    worker.go_on.set()
    settled(worker, "a")


def test_a_write_after_the_switch_is_made_by_the_new_engine_and_found_at_once(worker: Worker) -> None:
    worker.change(AFTER)
    worker.enroll(7)
    assert worker.asks(7) == ("a", True)
    assert worker.catalog.unembedded(AFTER, 0, 10).tolist() == []


def test_a_write_that_was_prepared_before_the_switch_is_made_anew(worker: Worker) -> None:
    worker.encoders[0].meanwhile.append(lambda: worker.change(AFTER))
    worker.enroll(7)
    assert worker.catalog.unembedded(AFTER, 0, 10).tolist() == []
    assert worker.asks(7) == ("a", True)


def test_an_answer_that_began_before_the_switch_ends_on_its_engine(worker: Worker) -> None:
    worker.encoders[0].meanwhile.append(lambda: worker.change(AFTER))
    assert worker.asks(9)[0] == "b"
    settled(worker, "a")
    worker.recognizer.close()
    assert worker.encoders[0].closed


def test_a_worker_that_still_opens_the_engine_does_not_miss_what_another_wrote(
    worker: Worker, start: Callable[[], Worker]
) -> None:
    slow = start()
    slow.go_on.clear()
    worker.change(AFTER)
    worker.enroll(7)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(slow.asks, 7)
        assert slow.opening.wait(60)
        assert not asked.done()
        slow.go_on.set()
        assert asked.result(60) == ("a", True)


def test_an_engine_that_is_not_there_leaves_the_one_before_answering_while_it_can(worker: Worker) -> None:
    worker.missing.add(AFTER)
    worker.change(AFTER)
    assert worker.asks(3) == ("b", True)
    with pytest.raises(EngineError, match="no such engine"):
        worker.enroll(7)
    assert worker.asks(3) == ("b", True)


def test_a_rollback_finds_what_was_written_since(worker: Worker) -> None:
    worker.change(AFTER)
    worker.enroll(7)
    worker.change(BEFORE)
    settled(worker, "b")
    assert [worker.asks(seed) for seed in (0, 7)] == [("b", True)] * 2


def test_switches_under_writers_and_visitors_mix_no_engines(worker: Worker, start: Callable[[], Worker]) -> None:
    workers, done = [worker, start()], threading.Event()

    def visit(one: Worker) -> list[tuple[str, bool]]:
        answers = []
        while not done.is_set():
            answers.extend(one.asks(seed) for seed in range(6))
        return answers

    def write(one: Worker, seeds: range) -> None:
        for seed in seeds:
            one.enroll(seed)
            assert one.asks(seed)[1]

    with ThreadPoolExecutor(6) as pool:
        visits = [pool.submit(visit, one) for one in workers]
        writes = [pool.submit(write, one, range(10 + 20 * n, 30 + 20 * n)) for n, one in enumerate(workers)]
        try:
            for fingerprint in (AFTER, BEFORE, AFTER):
                worker.change(fingerprint)
            for one in writes:
                one.result()
        finally:
            done.set()
        answers = [answer for one in visits for answer in one.result()]
    assert {engine for engine, _ in answers} <= {"a", "b"}
    assert all(right for _, right in answers)
    assert worker.catalog.engine() == AFTER


def prepared(worker: Worker, engine: str) -> str:
    """Foresee that engine until it is open, or cannot be opened."""
    while (state := worker.recognizer.prepare(engine)) == "loading":
        worker.opening.wait(0.01)
    return state


def test_no_request_after_the_switch_waits_for_an_engine_that_was_foreseen(worker: Worker) -> None:
    assert prepared(worker, AFTER) == "ready"
    worker.go_on.clear()  # whatever is opened from here on never is
    worker.change(AFTER)
    worker.enroll(7)
    assert [worker.asks(seed) for seed in (7, 0)] == [("a", True)] * 2
    worker.go_on.set()


def test_an_engine_that_is_foreseen_answers_nothing_before_the_switch(worker: Worker) -> None:
    assert prepared(worker, AFTER) == "ready"
    worker.enroll(7)
    assert worker.asks(7) == ("b", True)


def test_an_engine_that_comes_no_more_is_closed(worker: Worker) -> None:
    prepared(worker, AFTER)
    assert [encoder.closed for encoder in worker.encoders] == [False, False]
    assert worker.recognizer.prepare("") == "ready"
    assert [encoder.closed for encoder in worker.encoders] == [False, True]


def test_an_engine_that_is_foreseen_and_not_there_is_told(worker: Worker) -> None:
    worker.missing.add(AFTER)
    assert prepared(worker, AFTER) == "there is no such engine"
    assert worker.asks(3) == ("b", True)


def test_an_idle_worker_moves_before_anybody_asks(worker: Worker) -> None:
    worker.change(AFTER)
    prepared(worker, "")
    worker.go_on.clear()
    worker.enroll(7)
    assert worker.asks(7) == ("a", True)
    worker.go_on.set()


def test_a_server_has_the_engine_open_when_the_command_switches(worker: Worker) -> None:
    lookout, done = Lookout(worker.catalog.signs, worker.recognizer.prepare, who="here"), threading.Event()

    def look_out() -> None:
        while not done.wait(0.01):
            lookout.look()

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look_out)
        with announced(worker.catalog.signs, AFTER, Waits(notice_s=0.5, every_s=0.01)) as servers:
            worker.go_on.clear()
            worker.change(AFTER)
        worker.enroll(7)
        done.set()
        looking.result()
    assert servers.states == {"here": "ready"}
    assert worker.asks(7) == ("a", True)
    worker.go_on.set()
