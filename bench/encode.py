"""Engines on the CPU: time of a run by threads and batch, cost of batching for a lone caller, and throughput of many.

    python -m bench.encode ENGINE [--seconds 2] [--seed 0]

Every call is one row of `bench/results/encode.parquet`: `part` run (the engine alone), lone (an engine that does
nothing, called directly and through the batcher) or callers (that many threads in a closed loop).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl

from arthur.encode import Encoder, EngineSpec
from arthur.encode.batch import Batched
from arthur.encode.folder import EngineFolder, find_folder
from arthur.encode.onnx import OnnxEncoder
from arthur.types import Pixels, Vectors
from bench import record

Row = dict[str, object]
BATCH_MAX = 8
CALLERS = (1, 2, 4, 8, 16)


class Idle:
    """An engine that takes no time, so that only what stands before it is measured."""

    def __init__(self) -> None:
        self.spec = EngineSpec("idle", 16, "crop", 8, "0" * 64)
        self._vectors = np.eye(1, 8, dtype=np.float32)

    def encode(self, pixels: Pixels) -> Vectors:
        """Return the same row for each picture."""
        return np.repeat(self._vectors, len(pixels), axis=0)

    def close(self) -> None:
        """Nothing to free."""


def timed(call: Callable[[], object], columns: Row, *, seconds: float) -> Iterator[Row]:
    """Call again and again for a while after three calls to warm up; one row for each call, with `columns`."""
    for _ in range(3):
        call()
    end = time.perf_counter() + seconds
    while (start := time.perf_counter()) < end:
        cpu = time.process_time()
        call()
        wall_ms, cpu_ms = (time.perf_counter() - start) * 1e3, (time.process_time() - cpu) * 1e3
        yield {**columns, "wall_ms": wall_ms, "cpu_ms": cpu_ms}


def pictures(encoder: Encoder, count: int, *, seed: int) -> Pixels:
    """Draw noise: engines take the same time for every picture."""
    side = encoder.spec.side
    return np.random.default_rng(seed).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


def runs(folder: EngineFolder, *, seconds: float, seed: int) -> Iterator[Row]:
    """Time the engine alone: each graph that this CPU runs, by threads and batch."""
    for flags in (frozenset[str](), None):
        for threads in (1, 2):
            encoder = OnnxEncoder(folder, threads=threads, cpu_flags=flags)
            for batch in (1, BATCH_MAX):
                pixels = pictures(encoder, batch, seed=seed)
                columns = {"part": "run", "variant": encoder.spec.variant, "threads": threads, "batch": batch}
                yield from timed(lambda e=encoder, p=pixels: e.encode(p), columns, seconds=seconds)
            encoder.close()


def lone(*, seconds: float, seed: int) -> Iterator[Row]:
    """Time what the batcher adds to a lone call."""
    direct = Idle()
    batched = Batched(Idle(), batch_max=BATCH_MAX)
    for way, encoder in (("direct", direct), ("batched", batched)):
        pixels = pictures(encoder, 1, seed=seed)
        yield from timed(lambda e=encoder, p=pixels: e.encode(p), {"part": "lone", "way": way}, seconds=seconds)
    batched.close()


def crowds(folder: EngineFolder, *, seconds: float, seed: int) -> Iterator[Row]:
    """Time single pictures from several threads at once, straight into the engine and through the batcher."""
    for way in ("direct", "batched"):
        engine = OnnxEncoder(folder)
        encoder = Batched(engine, batch_max=BATCH_MAX) if way == "batched" else engine
        pixels = pictures(encoder, 1, seed=seed)
        for callers in CALLERS:
            yield from crowd(encoder, pixels, callers=callers, seconds=seconds, way=way)
        encoder.close()


def crowd(encoder: Encoder, pixels: Pixels, *, callers: int, seconds: float, way: str) -> list[Row]:
    """Let `callers` threads call in a closed loop for a while; one row for each call."""
    columns: Row = {"part": "callers", "variant": encoder.spec.variant, "way": way, "callers": callers}

    def work(_: int) -> list[Row]:
        return list(timed(lambda: encoder.encode(pixels), columns, seconds=seconds))

    with ThreadPoolExecutor(callers) as pool:
        return [row for rows in pool.map(work, range(callers)) for row in rows]


def main() -> None:
    """Measure, write the raw rows and print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    folder = find_folder(given.engine)
    options = {"seconds": given.seconds, "seed": given.seed}
    rows = [*runs(folder, **options), *lone(**options), *crowds(folder, **options)]
    columns = record.context(given.seed, packages=["onnxruntime", "numpy"]) | {"engine": folder.spec().label}
    path = record.write("encode", rows, columns)
    keys = ["part", "variant", "way", "threads", "batch", "callers"]
    frame = pl.DataFrame(rows, infer_schema_length=None).group_by(keys, maintain_order=True)
    p95_ms = pl.col("wall_ms").quantile(0.95).alias("p95_ms")
    table = frame.agg(pl.col("wall_ms", "cpu_ms").median(), p95_ms, per_s=pl.len() / given.seconds)
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_hide_dataframe_shape=True, tbl_width_chars=140):
        print(table)
    print(path)


if __name__ == "__main__":
    main()
