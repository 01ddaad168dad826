"""Announces an engine before it is put in force, and waits until the processes that answer have opened it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count

from arthur.catalog.signs import Signs
from arthur.errors import StoreError
from arthur.recognition.lookout import CALL, REPORTS, Seen
from arthur.recognition.models import LOADING, READY

__all__ = ["WAITS", "Answers", "Waits", "announced"]


@dataclass(frozen=True, slots=True)
class Waits:
    """How long the processes on a catalogue are waited for.

    Attributes:
        notice_s: for the first sign of them; they look about once a second.
        longest_s: for all of them to be ready.
        every_s: between two looks.
        renew_s: between two renewals of the announcement.
    """

    notice_s: float = 3.0
    longest_s: float = 600.0
    every_s: float = 0.1
    renew_s: float = 2.0


WAITS = Waits()
"""What suits servers."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What the processes answered, by their names: READY, LOADING, or why they cannot open the engine."""

    states: Mapping[str, str]

    @property
    def ready(self) -> int:
        """How many have the engine open."""
        return sum(state == READY for state in self.states.values())

    @property
    def failed(self) -> Mapping[str, str]:
        """Why the others have not."""
        return {who: state for who, state in self.states.items() if state not in (READY, LOADING)}

    @property
    def loading(self) -> int:
        """How many are still at it."""
        return len(self.states) - self.ready - len(self.failed)


@contextmanager
def announced(signs: Signs, fingerprint: str, waits: Waits) -> Iterator[Answers]:
    """Announce an engine until the block ends, which begins when every process that answers is done with opening it.

    Raises:
        StoreError: the catalogue does not answer.
    """

    def call(beat: int) -> None:
        signs.put(CALL, json.dumps({"fingerprint": fingerprint, "beat": beat}))

    def renew() -> None:
        for beat in count(1):
            if done.wait(waits.renew_s):
                return
            with suppress(StoreError):  # it may answer at the next beat; who waits meets the fault itself
                call(beat)

    done = threading.Event()
    signs.drop("coming/")
    call(0)
    calling = threading.Thread(target=renew, name="announcement", daemon=True)
    calling.start()
    try:
        yield _answered(signs, fingerprint, waits)
    finally:
        done.set()
        calling.join()
        with suppress(StoreError):  # then it goes stale
            signs.drop("coming/")


def _answered(signs: Signs, fingerprint: str, waits: Waits) -> Answers:
    """Wait until nobody loads any more; a process that no longer tells of itself is gone."""
    begun, seen = time.monotonic(), Seen()
    while True:
        states: dict[str, str] = {}
        for name, text in signs.under(REPORTS).items():
            report = json.loads(text)
            if report["fingerprint"] == fingerprint and seen.fresh(name, text):
                states[name.removeprefix(REPORTS)] = report["state"]
        answers, waited = Answers(states), time.monotonic() - begun
        if waited >= waits.longest_s or (waited >= waits.notice_s and not answers.loading):
            return answers
        time.sleep(waits.every_s)
