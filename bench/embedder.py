"""What the embedding service and its batches cost, with a simulated engine: a fixed time per run and one per picture.

    python -m bench.embedder [--run-ms 20] [--picture-ms 0.1] [--clients 64] [--seconds 5] [--repeats 3]

`lone` calls come one after the other, in process and through the service, with an engine that takes no time: the
difference is the service's price. `fixed` runs batches of one size back to back: what the engine could give. `clients`
embed one picture each in a closed loop: threads in the engine's process; connections of one generator that costs little
(`visitors.py`), which is the service alone; and threads of several processes with Arthur's own client (`callers.py`),
as servers are. The last two tell what processor time clients and service take for a picture. Stages are repeated in
turn, so that other work on the machine spoils all alike. Raw rows go to `bench/results/embedder.parquet`.
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
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import psutil

from arthur.config import Settings, load_settings
from arthur.decode import ImageDecoder
from arthur.encode import Encoder, wire
from arthur.encode.address import parse_addresses
from arthur.encode.batch import Batched
from arthur.encode.remote import RemoteEncoder
from arthur.encode.spec import EngineSpec
from arthur.encode.wire import describe
from arthur.types import Pixels, Vectors
from arthur.web.embedder import serve_embedder
from arthur.web.embedding import EmbeddingParts
from bench import record
from bench.callers import call, call_from
from bench.visitors import Visited, visit

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


@dataclass(frozen=True, slots=True)
class Service:
    """The service, an encoder that asks it, and its process."""

    url: str
    encoder: Encoder
    process: psutil.Process

    def cpu_s(self) -> float:
        """Return the processor time that it took so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextmanager
def serving(costs: str) -> Iterator[Service]:
    """Run the service in a process of its own, at a Unix socket."""
    with tempfile.TemporaryDirectory(prefix="emb") as folder:
        url = f"unix:{Path(folder) / 'socket'}"
        command = [sys.executable, "-m", "bench.embedder", "--serve", url]
        process = subprocess.Popen(command, env=os.environ | {COSTS: costs}, stdout=subprocess.DEVNULL)
        encoder = RemoteEncoder(url, start_s=60)
        try:
            yield Service(url, encoder, psutil.Process(process.pid).children()[0])
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
    return [{"stage": "lone", "where": where, "batch": 1, "ms": ms, "seconds": None} for ms in times]


def fixed(costs: str, batch: int, runs: int) -> list[Row]:
    """Time batches of one size, back to back."""
    engine, pixels = simulated(costs), np.zeros((batch, SIDE, SIDE, 3), np.uint8)
    times = [timed(lambda: engine.encode(pixels)) for _ in range(runs)]
    return [{"stage": "fixed", "where": "engine", "batch": batch, "ms": ms, "seconds": None} for ms in times]


def visited(service: Service, clients: int, seconds: float) -> Visited:
    """Let connections of one cheap generator ask for single pictures."""
    body = bytes(SIDE * SIDE * 3)
    head = f"POST {wire.EMBED_PATH} HTTP/1.1\r\nhost: x\r\ncontent-type: {wire.PIXELS}\r\ncontent-length: {len(body)}"
    (address,) = parse_addresses(service.url)
    return visit(address, f"{head}\r\n\r\n".encode() + body, clients=clients, seconds=seconds)


def many(service: Service, where: str, load: Callable[[], Visited]) -> list[Row]:
    """Put a load on the service, and note what it took of the processor."""
    before = service.cpu_s()
    found = load()
    return rows_of(where, found, service_s=service.cpu_s() - before)


def rows_of(where: str, found: Visited, *, service_s: float | None) -> list[Row]:
    """Return a row for each picture, each with what a picture cost on average."""
    if found.refused:
        raise SystemExit(f"{found.refused} requests were refused")
    pictures = len(found.ms)
    facts: Row = {"stage": "clients", "where": where, "batch": BATCH, "seconds": found.seconds}
    facts |= {"client_cpu_ms": 1000 * found.cpu_s / pictures}
    facts |= {"service_cpu_ms": None if service_s is None else 1000 * service_s / pictures}
    return [{**facts, "ms": ms} for ms in found.ms]


def report(rows: pl.DataFrame) -> str:
    """Return latencies and throughput by stage as text, over all repeats."""
    lines = []
    for (stage, where, batch), group in rows.group_by("stage", "where", "batch", maintain_order=True):
        p50, p95, p99 = (group["ms"].quantile(q, "nearest") for q in (0.5, 0.95, 0.99))
        turns = [one for _, one in group.group_by("repeat", maintain_order=True)]
        speeds = sorted(speed(one, batch if stage == "fixed" else 1) for one in turns)
        cost = group.select(pl.col("client_cpu_ms", "service_cpu_ms").mean()).row(0) if stage == "clients" else (None,)
        lines.append(
            f"{stage:8} {where:24} batch {batch:3}  p50 {p50:7.2f}  p95 {p95:7.2f}  p99 {p99:7.2f} ms"
            f"  {speeds[len(speeds) // 2]:6.0f} ({speeds[0]:.0f}..{speeds[-1]:.0f}) pictures/s"
            + ("" if None in cost else "  cpu a picture: clients {:.2f}, service {:.2f} ms".format(*cost))
        )
    return "\n".join(lines)


def speed(rows: pl.DataFrame, pictures: int) -> float:
    """Return the pictures a second of one repeat whose rows stand for so many pictures each."""
    return float(rows.height * pictures / (rows["seconds"].max() or rows["ms"].sum() / 1000))


def main() -> None:
    """Run the benchmark and write its rows."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--serve", help=argparse.SUPPRESS)
    arguments.add_argument("--run-ms", type=float, default=20.0, help="time of a run, whatever its batch")
    arguments.add_argument("--picture-ms", type=float, default=0.1, help="time of a picture in a run")
    arguments.add_argument("--clients", type=int, default=64)
    arguments.add_argument("--processes", type=int, nargs="*", default=[1, 4], help="of Arthur's own client")
    arguments.add_argument("--seconds", type=float, default=5.0)
    arguments.add_argument("--repeats", type=int, default=3)
    given = arguments.parse_args()
    if given.serve:
        code = "import sys; from arthur.web import embedder; from bench.embedder import open_parts"
        command = [sys.executable, "-c", f"{code}; sys.exit(embedder.run(open_parts))"]
        sys.exit(serve_embedder(load_settings(engine="simulated", embedder_listen=given.serve), command=command))
    columns = record.context(0, packages=["granian", "numpy", "uvloop"])
    columns |= {"run_ms": given.run_ms, "picture_ms": given.picture_ms, "clients": given.clients}
    path = record.write("embedder", measured(given), columns)
    print(report(pl.read_parquet(path)))
    print(f"rows in {path}")


def measured(given: argparse.Namespace) -> list[Row]:
    """Take every measurement, again and again."""
    costs = f"{given.run_ms},{given.picture_ms}"
    rows: list[Row] = []
    with ExitStack() as opened:
        free, here = opened.enter_context(in_process("0,0")), opened.enter_context(in_process(costs))
        freely, there = opened.enter_context(serving("0,0")), opened.enter_context(serving(costs))
        for repeat in range(given.repeats):
            found = lone(free, "in process, no cost", LONE_CALLS) + lone(freely.encoder, "service, no cost", LONE_CALLS)
            for batch in (1, 8, 16, 32, 64):
                found += fixed(costs, batch, 20)
            found += lone(here, "in process", 20) + lone(there.encoder, "service", 20)
            found += crowds(given, here, there)
            rows += [{**row, "repeat": repeat, "load_now": os.getloadavg()[0]} for row in found]
    return rows


def crowds(given: argparse.Namespace, here: Encoder, there: Service) -> list[Row]:
    """Let many clients come at once, in every way."""
    clients, seconds = given.clients, given.seconds
    rows = rows_of("in process", call(here, threads=clients, seconds=seconds), service_s=None)
    rows += many(there, f"service, {clients} connections", lambda: visited(there, clients, seconds))
    for processes in given.processes:
        load = partial(call_from, processes, there.url, threads=clients // processes, seconds=seconds)
        rows += many(there, f"service, {processes} processes", load)
    return rows


if __name__ == "__main__":
    main()
