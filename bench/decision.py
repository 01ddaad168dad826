"""Fits the decision that ships with Arthur: paints a catalogue, photographs it, and lets the whole product look.

    python -m bench.decision [--works 1500] [--photos 2000] [--open-set 1000] [--seed 1] [--rows FILE] [--into FILE]

Photos show enrolled works, and what is never enrolled: other works of enrolled artists, works of unknown artists, other
works of an enrolled series, and no artwork at all. The seed is not the benchmark's. Rows of an earlier run can be
fitted again.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, fields, replace
from pathlib import Path

import polars as pl

from arthur.assemble import Arthur, open_arthur
from arthur.calibration.calibrating import calibrate
from arthur.calibration.trials import SEVERITIES, Look, Trial, encoded, run_trials, sample, trial_of
from arthur.config import load_settings
from arthur.decision import GEOMETRY_INPUTS, SCORE_INPUTS, Calibration, Logistic, Signs
from arthur.errors import ArthurError
from arthur.recognizer import Enrolment
from arthur.simulation.fields import Picture, generator
from arthur.simulation.photo import photograph, snap
from arthur.types import StoredView, ViewId
from bench import record
from bench.artphoto.paintings import painting, work
from bench.artphoto.scenes import scene

KINDS = ("artist", "artist", "artist", "artist", "unknown", "unknown", "unknown", "series", "series", "nothing")
"""Kinds of photos of nothing enrolled, each as often as it is named."""
SERIES_SHARE = 0.01
"""Of photos of nothing enrolled, those of another work of an enrolled series: they are photographed far more often, to
see many kinds of them, and count less. Of 1,176 museum paintings, covers and paintings of one artist, about 6 have such
a sibling."""
BATCH = 64
SIGNS = [field.name for field in fields(Signs)]
_NEW, _UNKNOWN, _CLUTTER = 1_000, 500_000, 900_000
"""First composition or detail that is not enrolled; first artists who are not."""


def enroll(arthur: Arthur, works: int, seed: int) -> list[StoredView]:
    """Enroll painted works, artist by artist, and return their views."""
    views: list[StoredView] = []
    for first in range(0, works, BATCH):
        numbers = range(first, min(works, first + BATCH))
        enrolments = [_enrolment(number, seed) for number in numbers]
        for outcome in arthur.recognizer.enroll_many(enrolments):
            if isinstance(outcome, ArthurError):
                raise outcome
            views.append(outcome.stored)
    return views


def _enrolment(number: int, seed: int) -> Enrolment:
    name = ViewId(str(work(number, seed=seed)[0]), str(number), "main")
    return Enrolment(name, encoded(_painted(number, seed)))


def _painted(number: int, seed: int) -> Picture:
    return painting(*work(number, seed=seed))


def observed(arthur: Arthur, options: argparse.Namespace) -> Iterator[Trial]:
    """Yield the trials of a run."""
    views = enroll(arthur, options.works, options.seed)
    drawn = sample(views, options.photos, seed=options.seed)
    of_known = run_trials(
        arthur.recognizer,
        drawn,
        lambda view: _painted(int(view.view.entry_id), options.seed),
        seed=options.seed,
    )
    for trials in of_known:
        # the second trial of each, as if the work were not enrolled, meets its series far too often for a default
        yield from trials[:1]
    with ThreadPoolExecutor(2) as pool:
        photos = pool.map(lambda number: _unknown(number, options), range(options.open_set))
        for number, (severity, photo) in enumerate(photos):
            kind = KINDS[number % len(KINDS)]
            yield trial_of(arthur.recognizer.observe(encoded(photo)), frozenset(), severity, count=counted(kind))


def counted(kind: str) -> float:
    """Return as how many photos one of this kind counts."""
    drawn = KINDS.count("series") / len(KINDS)
    return SERIES_SHARE / drawn * (1 - drawn) / (1 - SERIES_SHARE) if kind == "series" else 1.0


def _unknown(number: int, options: argparse.Namespace) -> tuple[int, Picture]:
    """Return the severity and the picture of the `number`-th photo of nothing enrolled."""
    severity = SEVERITIES[number // len(KINDS) % len(SEVERITIES)]
    seed = int(generator(72, options.seed, number).integers(2**31))
    related = seed % options.works
    artist, composition, detail = work(related, seed=options.seed)
    kind = KINDS[number % len(KINDS)]
    if kind == "nothing":
        return severity, snap(scene(seed), seed, severity=severity)
    if kind == "artist":
        composition, detail = _NEW + number, 0
    elif kind == "series":
        detail = _NEW + number
    else:
        artist = artist + _UNKNOWN + number
    around = [painting(_CLUTTER + seed % 10_000, place, 0, size=256) for place in range(2)]
    return severity, photograph(painting(artist, composition, detail), seed, severity=severity, clutter=around)[0]


def flattened(trials: Iterable[Trial]) -> Iterator[dict[str, object]]:
    """Yield one row for each entry of each look."""
    for number, trial in enumerate(trials):
        for look in trial.looks:
            for place, signs in enumerate(look.entries):
                yield {
                    "trial": number,
                    "severity": trial.severity,
                    "known": trial.known,
                    "count": trial.count,
                    "step": look.step,
                    "right": place == look.right,
                    **asdict(signs),
                }


def joined(rows: pl.DataFrame) -> list[Trial]:
    """Return the trials of flattened rows."""
    trials = []
    for (_, severity, known, count), part in rows.group_by("trial", "severity", "known", "count", maintain_order=True):
        looks = []
        for (step,), entries in part.group_by("step", maintain_order=True):
            signs = tuple(Signs(**row) for row in entries.select(SIGNS).iter_rows(named=True))
            right = entries["right"].arg_true().to_list()
            looks.append(Look(str(step), signs, right[0] if right else None))
        trials.append(Trial(int(str(severity)), bool(known), tuple(looks), float(str(count))))
    return trials


def measured(options: argparse.Namespace) -> pl.DataFrame:
    """Return the raw rows of an earlier run, or measure and record new ones."""
    if options.rows:
        return pl.read_parquet(options.rows)
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(data=Path(folder) / "data", engine=options.engine, cache="none:", engine_threads=1)
        with open_arthur(settings) as arthur:
            rows = list(flattened(observed(arthur, options)))
            parts = {
                "engine": arthur.encoder.spec.label,
                "fingerprint": arthur.encoder.spec.fingerprint,
                "verifier": arthur.recognizer.verifier or "",
            }
    sizes = {"works": options.works, "photos": options.photos, "open_set": options.open_set}
    columns = record.context(options.seed, packages=("onnxruntime", "opencv-python-headless"))
    return pl.read_parquet(record.write("decision", rows, columns | parts | sizes))


def fitted(raw: pl.DataFrame) -> Calibration:
    """Fit without any prior, and sign the outcome with where it comes from."""
    nothing = Calibration(
        Logistic(0.0, dict.fromkeys(SCORE_INPUTS, 0.0)), Logistic(0.0, dict.fromkeys(GEOMETRY_INPUTS, 0.0)), 0.5
    )
    calibration, reliability = calibrate(joined(raw), nothing)
    run = raw.row(0, named=True)
    facts = {name: run[name] for name in ("engine", "verifier", "works", "photos", "open_set", "seed", "commit")}
    provenance = {"script": "bench/decision.py", "pictures": "ArtPhoto-sim", **facts, "held_out": reliability.members()}
    return replace(calibration, provenance=provenance)


def main() -> None:
    """Fit as the command line says."""
    parser = argparse.ArgumentParser(description="Fit the decision that ships with Arthur.")
    parser.add_argument("--engine", default="arthur-mini", help="name of an engine, or its folder")
    parser.add_argument("--works", type=int, default=1500, help="works to enroll")
    parser.add_argument("--photos", type=int, default=2000, help="photos of enrolled works")
    parser.add_argument("--open-set", type=int, default=1000, help="photos of nothing enrolled")
    parser.add_argument("--seed", type=int, default=11, help="not that of the pictures an engine was trained on")
    parser.add_argument("--rows", type=Path, help="fit these raw rows of an earlier run instead of measuring")
    parser.add_argument("--into", type=Path, help="decision.json to write: beside an engine, or the shipped default")
    parser.add_argument("--of-engine", action="store_true", help="sign it for this engine and verifier alone")
    options = parser.parse_args()
    raw = measured(options)
    calibration = fitted(raw)
    if options.of_engine:
        run = raw.row(0, named=True)
        calibration = replace(calibration, fingerprint=run["fingerprint"], verifier=run["verifier"])
    document = json.dumps(asdict(calibration), indent=2)
    print(document)
    if options.into:
        options.into.write_text(document + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
