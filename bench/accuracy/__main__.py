"""Measure accuracy: enroll, ask, keep the raw rows, report.

Run ``python -m bench.accuracy --set sim museum covers --data FOLDER``, or with ``--quick``; or make the report of
earlier rows with ``--rows FILE...``.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import polars as pl

from bench import record
from bench.accuracy import report
from bench.accuracy.drawings import Drawings
from bench.accuracy.exam import Exam
from bench.accuracy.run import Entrant, Row, run
from bench.accuracy.sets import SETS, real, simulated
from bench.accuracy.systems.choice import SLOW, SYSTEMS, opened
from bench.artphoto.benchmark import PRESETS

_PACKAGES = ("numpy", "opencv-python-headless", "onnxruntime", "usearch")


def main() -> None:
    """Run as the command line says."""
    given = _options()
    if given.rows:
        rows = pl.concat([pl.read_parquet(path) for path in given.rows], how="diagonal")
    else:
        rows = pl.concat([measure(name, given) for name in given.sets], how="diagonal")
    print(f"report in {report.write(rows, given.into)}")


def measure(name: str, given: argparse.Namespace) -> pl.DataFrame:
    """Run one exam, write its raw rows and return them."""
    cv2.setNumThreads(given.threads)
    exam = _exam(name, given)
    sizes = sorted({len(exam.works), *(size for size in given.sizes if size > len(exam.works))})
    engines = {"engine": given.engine, "peer_engine": given.peer_engine}
    with opened(given.systems, **engines, cache=given.cache) as systems:
        budgets = {SLOW: given.scan_seconds}
        entrants = [Entrant(one, system, budgets.get(one, math.inf)) for one, system in systems.items()]
        rows: list[Row] = list(run(exam, entrants, sizes=sizes, seed=given.seed, say=_say))
    columns = record.context(given.seed, packages=_PACKAGES) | engines | {"threads": given.threads}
    grown = f"-{sizes[-1]}" if len(sizes) > 1 else ""
    path = record.write(f"accuracy-{name}-{given.preset}{grown}", rows, columns)
    _say(f"rows in {path}")
    return pl.read_parquet(path)


def _exam(name: str, given: argparse.Namespace) -> Exam:
    drawings = Drawings(given.cache, given.processes)
    size = max(given.sizes, default=0)
    _say(f"{name}: drawing what is not yet in {given.cache}")
    if name == "sim":
        return simulated(given.preset, drawings, size=size)
    return real(name, given.data, given.preset, drawings, size=size)


def _options(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--set", dest="sets", nargs="+", choices=SETS, help="exams; all of which the pictures are there, unless given")
    add("--preset", choices=PRESETS, default="standard", help="how many works and photos")
    add("--quick", dest="preset", action="store_const", const="quick", help="the same as --preset quick")
    add("--systems", nargs="+", choices=SYSTEMS, help=f"all unless given, but {SLOW} not with the quick preset")
    add("--data", type=Path, default=Path("evaluation"), help="folder of the evaluation pictures (photos.csv)")
    add("--engine", default="arthur-mini", help="Arthur's engine: a name, or a folder with an engine.toml")
    add("--peer-engine", default="arthur-mini", help="the two-stage peer's engine, likewise")
    add("--sizes", nargs="+", type=int, default=[], help="larger catalogues to ask as well, e.g. 1000 10000 100000")
    add("--scan-seconds", type=float, default=150, help=f"CPU seconds that {SLOW} may enroll, and be asked, in a set")
    add(
        "--cache",
        type=Path,
        default=Path(".cache/accuracy"),
        help="folder of drawn pictures and large catalogues, kept between runs",
    )
    add("--processes", type=int, default=1, help="processes that draw")
    add("--threads", type=int, default=1, help="threads of OpenCV")
    add("--seed", type=int, default=0, help="of the order of the photos")
    add("--into", type=Path, default=record.RESULTS / "accuracy", help="folder of the report")
    add("--rows", type=Path, nargs="+", help="report these raw rows instead of measuring")
    given = parser.parse_args(words)
    if given.sets is None:
        given.sets = list(SETS) if (given.data / "photos.csv").is_file() else ["sim"]
    if given.systems is None:
        given.systems = [name for name in SYSTEMS if name != SLOW or given.preset != "quick"]
    return given


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
