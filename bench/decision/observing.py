"""Every look of the whole product at every photo, as rows."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TypeAlias

import cv2

from arthur.assemble import Arthur, open_arthur
from arthur.calibration.trials import encoded, trial_of
from arthur.config import load_settings
from arthur.errors import ArthurError
from arthur.recognition.sighting import Entry
from arthur.recognizer import Enrolment
from arthur.types import ViewId
from bench.decision.photos import Shot, artist, drawn, enrolled

Row: TypeAlias = dict[str, object]
"""One entry of one look."""

_BATCH = 64


@dataclass(frozen=True, slots=True)
class Plan:
    """What to observe, and where.

    Attributes:
        cache: folder of drawn photos, kept between runs.
        processes: that draw, and that look.
    """

    shots: Sequence[Shot]
    engine: str
    cache: Path
    processes: int


def observed(plan: Plan) -> tuple[list[Row], Row]:
    """Return the rows of a run, and which parts of Arthur made them."""
    files = drawn(plan.shots, plan.cache, processes=plan.processes)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        with _opened(data, plan.engine) as arthur:
            enroll(arthur, plan.shots[0].works, seed=plan.shots[0].seed)
            spec = arthur.encoder.spec
            parts: Row = {"engine": spec.label, "fingerprint": spec.fingerprint}
            parts["verifier"] = arthur.recognizer.verifier or ""
        numbered = list(zip(range(len(files)), plan.shots, files, strict=True))
        shards = [numbered[first :: plan.processes] for first in range(plan.processes)]
        # a fork would copy the locks, but not the threads, of the engine that was open here
        spawn, initializer = get_context("spawn"), partial(cv2.setNumThreads, 1)
        with ProcessPoolExecutor(plan.processes, mp_context=spawn, initializer=initializer) as pool:
            found = pool.map(partial(_looked_at, data, plan.engine), shards)
            rows = [row for shard in found for row in shard]
    return sorted(rows, key=lambda row: int(str(row["trial"]))), parts


def enroll(arthur: Arthur, works: int, *, seed: int) -> None:
    """Enroll the first works of a catalogue."""
    for first in range(0, works, _BATCH):
        numbers = range(first, min(works, first + _BATCH))
        enrolments = [Enrolment(ViewId(*_entry(n, seed), "main"), encoded(enrolled(n, seed=seed))) for n in numbers]
        for outcome in arthur.recognizer.enroll_many(enrolments):
            if isinstance(outcome, ArthurError):
                raise outcome


def _entry(number: int, seed: int) -> Entry:
    return artist(number, seed=seed), str(number)


def _opened(data: Path, engine: str) -> Arthur:
    return open_arthur(load_settings(data=data, engine=engine, cache="none:", engine_threads=1))


def _looked_at(data: Path, engine: str, shard: Iterable[tuple[int, Shot, Path]]) -> list[Row]:
    with _opened(data, engine) as arthur:
        return [row for number, shot, file in shard for row in _rows(arthur, number, shot, file)]


def _rows(arthur: Arthur, number: int, shot: Shot, file: Path) -> Iterator[Row]:
    truth = {_entry(shot.work, shot.seed)} if shot.kind == "known" else frozenset()
    trial = trial_of(arthur.recognizer.observe(file.read_bytes()), truth, shot.severity)
    for look in trial.looks:
        for place, signs in enumerate(look.entries):
            yield {
                "trial": number,
                "kind": shot.kind,
                "severity": shot.severity,
                "step": look.step,
                "right": place == look.right,
                **asdict(signs),
            }
