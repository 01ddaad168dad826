"""Fits the decision that ships with Arthur: paints a catalogue, photographs it, and lets the whole product look.

    python -m bench.decision [--works 1000] [--photos 1200] [--open-set 1400] [--processes 2] [--into FILE]

Photos show enrolled works, and what is never enrolled: other works of enrolled artists, works of unknown artists, other
works of an enrolled series, other covers of one, and no artwork at all. The seed is not the benchmark's. Photos that an
earlier run has drawn are taken from the cache, and its rows can be fitted again with `--rows`.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path

import polars as pl

from arthur.calibration.calibrating import calibrate
from arthur.decision import GEOMETRY_INPUTS, SCORE_INPUTS, Calibration, Logistic
from bench import record
from bench.decision.observing import Plan, observed
from bench.decision.photos import shots
from bench.decision.rows import joined

KEENEST = 2.0


def measured(options: argparse.Namespace) -> pl.DataFrame:
    """Return the raw rows of an earlier run, or measure and record new ones."""
    if options.rows:
        return pl.read_parquet(options.rows)
    taken = shots(options.works, options.photos, options.open_set, seed=options.seed)
    rows, parts = observed(Plan(taken, options.engine, options.cache, options.processes))
    sizes = {"works": options.works, "photos": options.photos, "open_set": options.open_set}
    columns = record.context(options.seed, packages=("onnxruntime", "opencv-python-headless"))
    return pl.read_parquet(record.write("decision", rows, columns | parts | sizes))


def fitted(raw: pl.DataFrame) -> Calibration:
    """Fit without any prior, and sign the outcome with where it comes from."""
    by_score, by_geometry = (Logistic(0.0, dict.fromkeys(names, 0.0)) for names in (SCORE_INPUTS, GEOMETRY_INPUTS))
    nothing = Calibration(by_score, by_geometry, 0.5, keenness=KEENEST)
    calibration, reliability = calibrate(joined(raw), nothing)
    run = raw.row(0, named=True)
    facts = {name: run[name] for name in ("engine", "verifier", "works", "photos", "open_set", "seed", "commit")}
    pictures = "paintings and covers, photographed by simulation"
    provenance = {"script": "bench/decision", "pictures": pictures, **facts, "held_out": reliability.members()}
    return replace(calibration, provenance=provenance)


def main() -> None:
    """Fit as the command line says."""
    parser = argparse.ArgumentParser(description="Fit the decision that ships with Arthur.")
    add = parser.add_argument
    add("--engine", default="arthur-mini", help="name of an engine, or its folder")
    add("--works", type=int, default=1000, help="works to enroll")
    add("--photos", type=int, default=1200, help="photos of enrolled works")
    add("--open-set", type=int, default=1400, help="photos of nothing enrolled")
    add("--seed", type=int, default=11, help="not that of the pictures an engine was trained on")
    add("--processes", type=int, default=1, help="processes that draw and that look")
    add("--cache", type=Path, default=Path(".cache/decision"), help="folder of drawn photos, kept between runs")
    add("--rows", type=Path, help="fit these raw rows of an earlier run instead of measuring")
    add("--into", type=Path, help="decision.json to write: beside an engine, or the shipped default")
    add("--of-engine", action="store_true", help="sign it for this engine and verifier alone")
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
