"""Claims about announcing an engine, and about the processes that hear of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from arthur.catalog import Catalog, open_catalog
from arthur.jobs.announcing import Answers, Waits, announced
from arthur.recognition.lookout import STALE_S, Lookout
from tests.models import Clock

NEW = "n" * 64
QUICK = Waits(notice_s=0.5, longest_s=60.0, every_s=0.005, renew_s=0.02)


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(f"sqlite:///{tmp_path}/catalog.db")
    yield opened
    opened.close()


class Process:
    """A process that is told to prepare for an engine; it says what it is given to say, the last word for ever."""

    def __init__(
        self, catalog: Catalog, who: str, says: Sequence[str], clock: Callable[[], float] | None = None
    ) -> None:
        self.asked: list[str] = []
        self.says = list(says)
        self.lookout = Lookout(catalog.signs, self.prepare, who=who, clock=clock or (lambda: 0.0))

    def prepare(self, fingerprint: str) -> str:
        self.asked.append(fingerprint)
        return self.says.pop(0) if len(self.says) > 1 else self.says[0]


@contextmanager
def looking(*processes: Process) -> Iterator[None]:
    """Let the processes look out again and again."""
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.01):
            for process in processes:
                process.lookout.look()

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def answers(catalog: Catalog, *processes: Process) -> Answers:
    with looking(*processes), announced(catalog.signs, NEW, QUICK) as found:
        return found


def test_every_process_is_waited_for(catalog: Catalog) -> None:
    slow = Process(catalog, "slow", ["loading"] * 50 + ["ready"])
    found = answers(catalog, slow, Process(catalog, "quick", ["ready"]))
    assert (found.ready, found.loading, found.failed) == (2, 0, {})
    assert NEW in slow.asked


def test_where_no_server_runs_nothing_holds_the_switch(catalog: Catalog) -> None:
    assert answers(catalog).states == {}


def test_why_a_process_cannot_open_the_engine_is_told(catalog: Catalog) -> None:
    found = answers(catalog, Process(catalog, "poor", ["loading", "it is not on this machine"]))
    assert (found.ready, found.failed) == (0, {"poor": "it is not on this machine"})


def test_a_process_that_takes_too_long_is_not_waited_for_any_longer(catalog: Catalog) -> None:
    waits = Waits(notice_s=1.0, longest_s=1.0, every_s=0.005, renew_s=0.02)
    with looking(Process(catalog, "slow", ["loading"])), announced(catalog.signs, NEW, waits) as found:
        assert (found.ready, found.loading) == (0, 1)


def test_signs_are_taken_down_at_the_end(catalog: Catalog) -> None:
    process = Process(catalog, "here", ["ready"])
    with ExitStack() as ends:
        ends.enter_context(announced(catalog.signs, NEW, Waits(notice_s=0.0)))
        process.lookout.look()
        assert len(catalog.signs.under("coming/")) == 2
    assert catalog.signs.under("coming/") == {}
    process.lookout.look()
    assert process.asked[-1] == ""


def test_a_call_of_a_command_that_was_killed_is_soon_forgotten(catalog: Catalog) -> None:
    clock = Clock()
    process = Process(catalog, "here", ["ready"], clock)
    catalog.signs.put("coming/call", f'{{"fingerprint": "{NEW}", "beat": 1}}')
    process.lookout.look()
    clock.now += STALE_S
    process.lookout.look()
    assert process.asked == [NEW, ""]
