"""What the embedding service and its batches cost, with a simulated engine: a fixed time per run and one per picture.

    python -m bench.embedder [--run-ms 20] [--picture-ms 0.1] [--clients 64] [--seconds 5]

`lone` calls come one after the other, in process and through the service, with an engine that takes no time: the
difference is the service's price. `fixed` runs batches of one size back to back: what the engine could give. `clients`
call for one picture each in a closed loop, in process and through the service. Raw rows go to
`bench/results/embedder.parquet`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import polars as pl

from arthur.config import Settings, load_settings
from arthur.decode import ImageDecoder
from arthur.encode import Encoder
from arthur.encode.batch import Batched
from arthur.encode.remote import RemoteEncoder
from arthur.encode.spec import EngineSpec
from arthur.encode.wire import describe
from arthur.types import Pixels, Vectors
from arthur.web.embedder import serve_embedder
from arthur.web.embedding import EmbeddingParts
from bench import record

COSTS = "ARTHUR_BENCH_ENGINE_MS"
SIDE, DIM, BATCH = 224, 512, 64
LONE_CALLS = 1000

Row = dict[str, object]


class Simulated:
    """An engine that sleeps `run_s`, and `picture_s` for each picture, one run at a time, as a GPU would keep busy."""

    spec = EngineSpec("simulated", SIDE, "crop", DIM, "0" * 64)

    def __init__(self, run_s: float, picture_s: float) -> None:
        self._run_s, self._picture_s = run_s, picture_s
        self._device = threading.Lock()

    def encode(self, pixels: Pixels) -> Vectors:
        """See Encoder.encode."""
        with self._device:
            if cost := self._run_s + self._picture_s * len(pixels):
                time.sleep(cost)
        vectors = np.zeros((len(pixels), DIM), np.float32)
        vectors[:, 0] = 1
        return vectors

    def close(self) -> None:
        """See Encoder.close."""


def simulated(given: str) -> Simulated:
    """Make the engine of `run_ms,picture_ms`."""
    run_ms, picture_ms = map(float, given.split(","))
    return Simulated(run_ms / 1000, picture_ms / 1000)


def open_parts(_: Settings, opened: ExitStack) -> EmbeddingParts:
    """Open what the service serves: the engine that the environment describes."""
    encoder = Batched(simulated(os.environ[COSTS]), batch_max=BATCH)
    opened.callback(encoder.close)
    pool = opened.enter_context(ThreadPoolExecutor(2))
    description = describe(encoder.spec, batch_max=BATCH, text=False)
    return EmbeddingParts(encoder, None, ImageDecoder(), description, pool, 2**20)


@contextmanager
def serving(costs: str) -> Iterator[Encoder]:
    """Run the service in a process of its own, and yield an encoder that asks it over a Unix socket."""
    with tempfile.TemporaryDirectory(prefix="emb") as folder:
        url = f"unix:{Path(folder) / 'socket'}"
        command = [sys.executable, "-m", "bench.embedder", "--serve", url]
        process = subprocess.Popen(command, env=os.environ | {COSTS: costs}, stdout=subprocess.DEVNULL)
        encoder = RemoteEncoder(url, start_s=60)
        try:
            yield encoder
        finally:
            encoder.close()
            process.terminate()
            process.wait(60)


@contextmanager
def in_process(costs: str) -> Iterator[Encoder]:
    """Yield the same engine in this process."""
    encoder = Batched(simulated(costs), batch_max=BATCH)
    yield encoder
    encoder.close()


def timed(work: Callable[[], object]) -> float:
    """Return how long it took, milliseconds."""
    begun = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - begun)


def lone(encoder: Encoder, where: str, calls: int) -> list[Row]:
    """Time single pictures, one after the other."""
    picture = np.zeros((1, SIDE, SIDE, 3), np.uint8)
    for _ in range(20):
        encoder.encode(picture)
    times = [timed(lambda: encoder.encode(picture)) for _ in range(calls)]
    return [{"stage": "lone", "where": where, "clients": 1, "batch": 1, "ms": ms, "seconds": None} for ms in times]


def fixed(costs: str, batch: int, runs: int) -> list[Row]:
    """Time batches of one size, back to back."""
    engine, pixels = simulated(costs), np.zeros((batch, SIDE, SIDE, 3), np.uint8)
    times = [timed(lambda: engine.encode(pixels)) for _ in range(runs)]
    return [
        {"stage": "fixed", "where": "engine", "clients": 0, "batch": batch, "ms": ms, "seconds": ms / 1000}
        for ms in times
    ]


def many(encoder: Encoder, where: str, clients: int, seconds: float) -> list[Row]:
    """Time single pictures of many clients at once, each with its next when it has its answer."""
    end = time.perf_counter() + seconds

    def client(_: int) -> list[float]:
        picture = np.zeros((1, SIDE, SIDE, 3), np.uint8)
        times = []
        while time.perf_counter() < end:
            times.append(timed(lambda: encoder.encode(picture)))
        return times

    with ThreadPoolExecutor(clients) as pool:
        times = [ms for of_one in pool.map(client, range(clients)) for ms in of_one]
    facts: Row = {"stage": "clients", "where": where, "clients": clients, "batch": BATCH, "seconds": seconds}
    return [{**facts, "ms": ms} for ms in times]


def report(rows: pl.DataFrame) -> str:
    """Return latencies and throughput by stage as text."""
    lines = []
    for (stage, where, batch), group in rows.group_by("stage", "where", "batch", maintain_order=True):
        p50, p95, p99 = (group["ms"].quantile(q, "nearest") for q in (0.5, 0.95, 0.99))
        pictures = group.height * (batch if stage == "fixed" else 1)
        whole = group["seconds"].sum() if stage == "fixed" else (group["seconds"].max() or group["ms"].sum() / 1000)
        lines.append(
            f"{stage:8} {where:22} batch {batch:3}  p50 {p50:7.2f}  p95 {p95:7.2f}  p99 {p99:7.2f} ms"
            f"  {pictures / whole:7.0f} pictures/s"
        )
    return "\n".join(lines)


def main() -> None:
    """Run the benchmark and write its rows."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--serve", help=argparse.SUPPRESS)
    arguments.add_argument("--run-ms", type=float, default=20.0, help="time of a run, whatever its batch")
    arguments.add_argument("--picture-ms", type=float, default=0.1, help="time of a picture in a run")
    arguments.add_argument("--clients", type=int, default=64)
    arguments.add_argument("--seconds", type=float, default=5.0)
    given = arguments.parse_args()
    if given.serve:
        code = "import sys; from arthur.web import embedder; from bench.embedder import open_parts"
        command = [sys.executable, "-c", f"{code}; sys.exit(embedder.run(open_parts))"]
        sys.exit(serve_embedder(load_settings(engine="simulated", embedder_listen=given.serve), command=command))
    columns = record.context(0, packages=["granian", "numpy"])
    columns |= {"run_ms": given.run_ms, "picture_ms": given.picture_ms}
    path = record.write("embedder", measured(given), columns)
    print(report(pl.read_parquet(path)))
    print(f"rows in {path}")


def measured(given: argparse.Namespace) -> list[Row]:
    """Take every measurement."""
    rows: list[Row] = []
    costs = f"{given.run_ms},{given.picture_ms}"
    with in_process("0,0") as here, serving("0,0") as there:
        rows += lone(here, "in process, no cost", LONE_CALLS) + lone(there, "service, no cost", LONE_CALLS)
    for batch in (1, 8, 16, 32, 64):
        rows += fixed(costs, batch, 50)
    with in_process(costs) as here:
        rows += lone(here, "in process", 50) + many(here, "in process", given.clients, given.seconds)
    with serving(costs) as there:
        rows += lone(there, "service", 50) + many(there, "service", given.clients, given.seconds)
    return rows


if __name__ == "__main__":
    main()
