"""Claims of the recorder of answers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from arthur.catalog import Catalog, open_catalog
from arthur.errors import StoreError
from arthur.types import DecisionKind, LoggedMatch, Match, Recognition, ViewId
from arthur.web.recording import Recorder

DAY_NS = 86_400 * 10**9
FOUND = (Match(ViewId("a", "e", "v"), 0.8, 0.9, {}),)


def answer(decision: DecisionKind) -> Recognition:
    return Recognition(decision, 0.9, (), FOUND, "engine@f", 1, False, (), {})


ANSWER = answer("match")


class Kept:
    """A match log in memory; `down` makes it fail."""

    def __init__(self) -> None:
        self.answers: list[LoggedMatch] = []
        self.batches: list[int] = []
        self.down = False

    def put(self, answers: Any) -> None:
        if self.down:
            raise StoreError("the database does not answer")
        self.answers += answers
        self.batches.append(len(answers))

    def rows(self, **_: Any) -> Iterator[LoggedMatch]:
        return iter(self.answers)

    def forget(self, before_us: int, *, now_us: int) -> int:
        before = len(self.answers)
        self.answers = [one for one in self.answers if one.at_us >= before_us]
        return before - len(self.answers)


@pytest.fixture
def kept() -> Kept:
    return Kept()


def test_an_answer_is_logged_with_its_best_entry(kept: Kept) -> None:
    recorder = Recorder(kept, days=1, clock_ns=lambda: 7000)
    recorder.note([b"photo"], ANSWER, 12.5)
    recorder.write()
    (one,) = kept.answers
    assert (one.at_us, one.decision, one.artist_id, one.entry_id, one.milliseconds) == (7, "match", "a", "e", 12.5)
    assert one.photo == blake3(b"photo").hexdigest()


def test_a_photo_of_none_of_ours_is_logged_without_an_entry(kept: Kept) -> None:
    recorder = Recorder(kept, days=1)
    recorder.note([b"photo"], answer("no_match"), 1.0)
    recorder.write()
    assert (kept.answers[0].artist_id, kept.answers[0].entry_id) == (None, None)


def test_nothing_is_logged_unless_wanted_and_what_was_is_forgotten(kept: Kept) -> None:
    logging = Recorder(kept, days=1)
    logging.note([b"photo"], ANSWER, 1.0)
    logging.write()
    silent = Recorder(kept, days=0, clock_ns=lambda: 2 * 10**18)
    silent.note([b"photo"], ANSWER, 1.0)
    silent.write()
    assert len(kept.answers) == 1
    silent.forget()
    assert kept.answers == []


def test_a_full_queue_drops_and_tells(kept: Kept) -> None:
    dropped: list[int] = []
    recorder = Recorder(kept, days=1, dropped=dropped.append, places=2)
    for _ in range(5):
        recorder.note([b"photo"], ANSWER, 1.0)
    recorder.write()
    assert (len(kept.answers), sum(dropped)) == (2, 3)


def test_a_batch_that_failed_is_written_later_and_once(kept: Kept) -> None:
    recorder, kept.down = Recorder(kept, days=1), True
    recorder.note([b"one"], ANSWER, 1.0)
    recorder.write()
    kept.down = False
    recorder.note([b"two"], ANSWER, 1.0)
    recorder.write()
    recorder.write()
    assert kept.batches == [2]


def test_answers_are_forgotten_when_their_days_are_over(kept: Kept) -> None:
    now = 40 * DAY_NS
    recorder = Recorder(kept, days=30, clock_ns=lambda: now)
    for day in (9, 10, 40):
        kept.put([LoggedMatch(day * DAY_NS // 1000, "", "no_match", None, None, 0.1, 1.0, "e")])
    recorder.forget()
    assert [one.at_us * 1000 // DAY_NS for one in kept.answers] == [10, 40]


def test_closing_writes_what_is_queued(kept: Kept) -> None:
    recorder = Recorder(kept, days=3650)
    recorder.follow()
    recorder.note([b"photo"], ANSWER, 1.0)
    recorder.close()
    recorder.close()
    assert len(kept.answers) == 1


KILLED = """
import sys
from arthur.catalog import open_catalog
from arthur.types import Recognition
from arthur.web.recording import Recorder
none = Recognition("no_match", 0.1, (), (), "e", 1, False, (), {})
recorder = Recorder(open_catalog(sys.argv[1]).match_log, days=1)
recorder.note([b"photo"], none, 1.0)
recorder.write()
recorder.note([b"not written yet"], none, 1.0)
print("written", flush=True)
sys.stdin.read()
"""


def test_a_written_batch_survives_kill_9(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/catalog.db"
    command = [sys.executable, "-c", KILLED, url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        os.kill(process.pid, signal.SIGKILL)
    catalog: Catalog = open_catalog(url)
    assert len(list(catalog.match_log.rows(since_us=0, limit=9))) == 1
    catalog.close()
