"""Ten times more matches than the server can do: what the admitted wait, how fast the rest is refused, and after.

    python -m bench.overload [--server granian] [--workers 2] [--factor 10] [--seconds 30]

Arrivals are open-loop (Poisson): each request is sent at its own moment, whatever became of those before. The capacity
is what eight callers in a closed loop get; `unloaded` and `after` come at a quarter of it. Each request has a
connection and a picture of its own, so that no cache answers. The generator is one process of raw sockets, and the
server runs at a lower priority (nice), so that what is measured is the server's wait and not the generator's.

Raw rows go to `bench/results/overload.parquet`.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import polars as pl
import psutil
from PIL import Image

from bench import record
from bench.artphoto.paintings import painting

CALLERS = 8
PATIENCE_S = 60.0
EVERY_S = 0.25


@dataclass
class Load:
    """What is sent where, and the rows of what came back."""

    port: int
    pictures: list[bytes]
    chance: random.Random
    rows: list[dict[str, object]] = field(default_factory=list)
    sent: int = 0

    def request(self) -> bytes:
        """Return a match of a picture that was never sent before: bytes behind the end marker make it new."""
        self.sent += 1
        body = self.pictures[self.sent % len(self.pictures)] + self.sent.to_bytes(8, "big")
        head = "POST /api/v1/match HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: image/jpeg\r\n"
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    async def ask(self, phase: str, begun: float, due: float) -> None:
        """Send one request and note what became of it; its time counts from the moment it was due."""
        status = 0
        with suppress(OSError, TimeoutError, ValueError, IndexError):
            async with asyncio.timeout(PATIENCE_S):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                try:
                    writer.write(self.request())
                    answer = await reader.read()
                    status = int(answer.split(b" ", 2)[1])
                finally:
                    writer.close()
        ms = 1000 * (time.perf_counter() - due)
        self.rows.append({"kind": "request", "phase": phase, "at_s": due - begun, "status": status, "value": ms})

    async def closed(self, phase: str, seconds: float) -> float:
        """Send as fast as CALLERS are answered; return the answers of 200 a second."""
        begun = time.perf_counter()

        async def caller() -> None:
            while time.perf_counter() - begun < seconds:
                await self.ask(phase, begun, time.perf_counter())

        await asyncio.gather(*(caller() for _ in range(CALLERS)))
        done = sum(row["phase"] == phase and row["status"] == 200 for row in self.rows)
        return done / (time.perf_counter() - begun)

    async def open(self, phase: str, per_s: float, seconds: float) -> None:
        """Send `per_s` a second at random moments."""
        begun = due = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            while (due := due + self.chance.expovariate(per_s)) < begun + seconds:
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                tasks.create_task(self.ask(phase, begun, due))


def free_port() -> int:
    """Return a port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(data: Path, given: argparse.Namespace) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run `arthur serve` on a free port, at a lower priority than this process."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "arthur",
        "serve",
        "--data",
        str(data),
        "--port",
        str(port),
        "--server",
        given.server,
    ]
    environment = os.environ | ({"ARTHUR_ADMITTED": str(given.admitted)} if given.admitted else {})
    server = subprocess.Popen(
        ["nice", "-n", str(given.nice), *command, "--workers", str(given.workers)], env=environment
    )
    try:
        end = time.monotonic() + 90
        while time.monotonic() < end and server.poll() is None:
            with suppress(httpx.TransportError):
                if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200:
                    break
            time.sleep(0.1)
        yield server, port
    finally:
        server.terminate()
        server.wait(timeout=60)


def drawn(count: int, size: int) -> list[bytes]:
    """Draw paintings as JPEG."""
    out = []
    for number in range(count):
        encoded = io.BytesIO()
        Image.fromarray(painting(number, 0, 0, size=size)).save(encoded, "JPEG", quality=88)
        out.append(encoded.getvalue())
    return out


async def watch(load: Load, process: psutil.Process, begun: float) -> None:
    """Note the memory of the workers, without what they share, until cancelled."""
    while True:
        used = 0
        for worker in process.children(recursive=True):
            with suppress(psutil.Error):
                used += worker.memory_info().rss
        row = {"phase": "", "at_s": time.perf_counter() - begun, "status": 0, "value": used / 2**20}
        load.rows.append({"kind": "rss_mib", **row})
        await asyncio.sleep(EVERY_S)


async def measure(load: Load, process: psutil.Process, given: argparse.Namespace) -> float:
    """Run all phases; return the capacity."""
    watcher = asyncio.create_task(watch(load, process, time.perf_counter()))
    await load.closed("warm", given.seconds / 3)
    capacity = await load.closed("capacity", given.seconds / 2)
    await load.open("unloaded", capacity / 4, given.seconds)
    await load.open("overload", capacity * given.factor, given.seconds)
    await load.open("after", capacity / 4, given.seconds / 2)
    watcher.cancel()
    return capacity


def report(rows: pl.DataFrame, capacity: float) -> str:
    """Return the figures as text."""
    asked = rows.filter(pl.col("kind") == "request")
    lines = [f"capacity {capacity:.1f}/s with {CALLERS} callers"]
    for phase in ("unloaded", "overload", "after"):
        of = asked.filter(pl.col("phase") == phase)
        counts = dict(sorted(of["status"].value_counts().iter_rows()))
        lines.append(f"{phase}: {of.height} sent, by status {counts}")
        for status in (200, 429):
            ms = of.filter(pl.col("status") == status)["value"]
            if len(ms):
                told = "  ".join(f"p{int(q * 1000) / 10:g} {ms.quantile(q):.1f}" for q in (0.5, 0.95, 0.99, 1.0))
                lines.append(f"  {status}: {told} ms")
    served = asked.filter(pl.col("status") == 200)
    quiet, loud = (served.filter(pl.col("phase") == p)["value"].quantile(0.99) for p in ("unloaded", "overload"))
    lines.append(f"admitted p99 / unloaded p99 = {loud / quiet:.2f}")
    later = served.filter((pl.col("phase") == "after") & (pl.col("at_s") > 2))["value"].quantile(0.99)
    lines.append(f"p99 from 2 s after the overload / unloaded p99 = {later / quiet:.2f}")
    memory = rows.filter(pl.col("kind") == "rss_mib")["value"]
    lines.append(
        f"memory of the workers: first {memory[0]:.0f}, median {memory.median():.0f}, last {memory[-1]:.0f} MiB"
    )
    return "\n".join(lines)


def main() -> None:
    """Run the benchmark and write its rows."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--server", default="robyn", choices=["robyn", "granian"])
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--admitted", type=int, default=0, help="places of a worker; 0 is the server's default")
    arguments.add_argument("--factor", type=float, default=10)
    arguments.add_argument("--seconds", type=float, default=30)
    arguments.add_argument("--works", type=int, default=100)
    arguments.add_argument("--size", type=int, default=640, help="side of the pictures, pixels")
    arguments.add_argument("--nice", type=int, default=2, help="by how much the server gives way to the generator")
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    columns = record.context(given.seed, packages=["robyn", "granian", "onnxruntime", "numpy"])
    pictures = drawn(given.works, given.size)
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "data", given) as (server, port):
        for number, picture in enumerate(pictures):
            path = f"http://127.0.0.1:{port}/api/v1/artists/a/entries/{number}/views/main"
            httpx.put(path, content=picture, headers={"content-type": "image/jpeg"}, timeout=60).raise_for_status()
        load = Load(port, pictures, random.Random(given.seed))
        capacity = asyncio.run(measure(load, psutil.Process(server.pid), given))
    chosen = {name: getattr(given, name) for name in ("server", "workers", "admitted", "factor", "works", "size")}
    path = record.write("overload", load.rows, {**columns, **chosen, "capacity_per_s": capacity})
    print(report(pl.read_parquet(path), capacity))
    print(f"rows in {path}")


if __name__ == "__main__":
    main()
