"""Asks every system the same photos in the same order, and keeps what each said and what it cost."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

import psutil  # type: ignore[import-untyped,unused-ignore]  # its stubs are a package of their own

from bench.accuracy.exam import KNOWN, Exam, Photo, Work, in_turn
from bench.accuracy.systems import Answer, System

Row: TypeAlias = dict[str, object]
"""One answer of one system to one photo; the columns are those of `_row`."""

_CHUNK = 64
"""Works enrolled between two looks at a budget; without one, all come in one call."""


@dataclass(slots=True)
class Entrant:
    """A system in a run, with what it has cost so far.

    CPU time is that of the whole process, all its threads, while the system works.

    Attributes:
        budget_s: CPU seconds that it may enroll, and again that it may be asked; then it is out of the run.
        spent_s: CPU seconds of everything.
        latest_s: CPU seconds of the latest piece of work.
        enrol_s: CPU seconds of the catalogue's enrolment.
        works: works enrolled.
        learned: works of these that it looked at in this run.
        resident: bytes of memory of the whole process after that; its own only where it runs alone.
        empty: bytes that it keeps before it has any work.
        stored: bytes that it keeps with its works.
    """

    name: str
    system: System
    budget_s: float = math.inf
    spent_s: float = field(default=0.0, init=False)
    latest_s: float = field(default=0.0, init=False)
    enrol_s: float = field(default=0.0, init=False)
    works: int = field(default=0, init=False)
    learned: int = field(default=0, init=False)
    resident: int = field(default=0, init=False)
    empty: int = field(init=False)
    stored: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Weigh the system before it has any work."""
        self.empty = self.system.stored_bytes()

    @property
    def out(self) -> bool:
        """Whether a budget is spent."""
        return max(self.enrol_s, self.spent_s - self.enrol_s) >= self.budget_s

    def learn(self, works: Sequence[Work]) -> None:
        """Enroll a part of the catalogue. A system whose budget ends meanwhile is asked nothing at this size."""
        step = _CHUNK if math.isfinite(self.budget_s) else max(1, len(works))
        for first in range(0, len(works), step):
            if self.out:
                return
            chunk = works[first : first + step]
            with self.working():
                self.learned += self.system.enroll(chunk)
            self.enrol_s += self.latest_s
            self.works += len(chunk)
        with self.working():
            self.system.settle()
        self.resident = psutil.Process().memory_info().rss
        self.stored = self.system.stored_bytes()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Count the CPU seconds spent inside."""
        started = time.process_time()
        yield
        self.latest_s = time.process_time() - started
        self.spent_s += self.latest_s


@dataclass(frozen=True, slots=True)
class Exchange:
    """A photo, what a system said to it, and how long that took."""

    photo: Photo
    answer: Answer
    cpu_s: float
    wall_s: float


def run(
    exam: Exam, entrants: Sequence[Entrant], *, sizes: Sequence[int], seed: int, say: Callable[[str], None]
) -> Iterator[Row]:
    """Enroll the exam's works, ask its photos, and do so again with more distractors.

    Args:
        exam: what to enroll and to ask.
        entrants: whom to ask.
        sizes: works in the catalogue at each turn, ascending; the exam's own are there at every turn.
        seed: of the order of the photos.
        say: told how far the run is.
    """
    catalogue = (*exam.works, *exam.distractors)
    enrolled = 0
    for size in sizes:
        for entrant in entrants:
            entrant.learn(catalogue[enrolled:size])
            say(f"{exam.name}, {size} works: {entrant.name} enrolled {entrant.works} in {entrant.enrol_s:.1f} CPU-s")
        enrolled = size
        by_name = {work.name: work for work in catalogue[:size]}
        for entrant, exchange in _asked(exam, entrants, by_name, seed):
            yield _row(exam, entrant, exchange, size)
        for entrant in entrants:
            say(f"{exam.name}, {size} works: {entrant.name} spent {entrant.spent_s:.1f} CPU-s in all")


def _asked(
    exam: Exam, entrants: Sequence[Entrant], works: dict[str, Work], seed: int
) -> Iterator[tuple[Entrant, Exchange]]:
    """Yield each answer, with the works that a photo wants out taken out and put back."""
    for without, photos in in_turn(exam.photos, seed=seed):
        asked = [entrant for entrant in entrants if not entrant.out]
        for entrant in asked:
            with entrant.working():
                entrant.system.forget(without)
        for photo in photos:
            file = photo.path.read_bytes()
            for entrant in asked:
                yield entrant, _exchange(entrant, photo, file)
        for entrant in asked:
            with entrant.working():
                entrant.system.enroll([works[name] for name in sorted(without)])


def _exchange(entrant: Entrant, photo: Photo, file: bytes) -> Exchange:
    started = time.perf_counter()
    with entrant.working():
        answer = entrant.system.query(file)
    return Exchange(photo, answer, entrant.latest_s, time.perf_counter() - started)


def _row(exam: Exam, entrant: Entrant, exchange: Exchange, size: int) -> Row:
    photo, answer = exchange.photo, exchange.answer
    names = [name for name, _ in answer.ranked]
    rank = next((place for place, name in enumerate(names, 1) if name in photo.works), 0)
    return {
        "set": exam.name,
        "provenance": exam.provenance,
        "size": size,
        "system": entrant.name,
        "photo": photo.name,
        "kind": photo.kind,
        "severity": photo.severity,
        "cluster": photo.cluster,
        "truth": sorted(photo.works),
        "ranked": names,
        "scores": [score for _, score in answer.ranked],
        "rank": rank,
        "known": photo.kind == KNOWN,
        "score": answer.score,
        "decision": answer.decision,
        "probability": answer.probability,
        "cpu_ms": 1000 * exchange.cpu_s,
        "wall_ms": 1000 * exchange.wall_s,
        "enrol_cpu_ms": 1000 * entrant.enrol_s / entrant.works if entrant.learned == entrant.works else None,
        "bytes_a_work": (entrant.stored - entrant.empty) / entrant.works,
        "process_mib": entrant.resident / 2**20,
    }
