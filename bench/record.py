"""Raw observations of a benchmark as Parquet, with all that is needed to judge them later."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import polars as pl

from arthur import _native

RESULTS = Path(__file__).parent / "results"


def context(seed: int, *, packages: Sequence[str]) -> dict[str, object]:
    """Return the columns every row carries: commit, machine, versions, load and seed.

    Raises:
        SystemExit: the extension is a debug build, which would spoil every figure.
    """
    if _native.DEBUG_BUILD:
        raise SystemExit("arthur._native is a debug build: run `make setup` first")
    return {
        "at": datetime.now(UTC),
        "commit": _git("rev-parse", "--short", "HEAD") + ("+" if _git("status", "--porcelain", "-uno") else ""),
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "load_1m": os.getloadavg()[0],
        "python": platform.python_version(),
        "versions": ", ".join(f"{name} {version(name)}" for name in packages),
        "seed": seed,
    }


def write(name: str, rows: Sequence[Mapping[str, object]], columns: Mapping[str, object]) -> Path:
    """Write raw rows, each with the context columns, to `results/NAME.parquet` and return the path."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.parquet"
    frame = pl.DataFrame([dict(row) for row in rows], infer_schema_length=None)
    frame.with_columns(**{key: pl.lit(value) for key, value in columns.items()}).write_parquet(path)
    return path


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], capture_output=True, text=True, cwd=Path(__file__).parent, check=False)
    return done.stdout.strip()


def _cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
