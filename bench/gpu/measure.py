"""Measures one system on one engine: parity, latency, throughput, and 64 clients behind the batcher.

    python -m bench.gpu.measure ENGINE SYSTEM --out FOLDER [--device cuda:0] [--batches 1 8 64 256] [--seconds 1]

Every call is one line of JSON in `FOLDER/rows-ENGINE-SYSTEM.jsonl`, written as it comes: a system that breaks leaves
what it did, and an `error` line. `run.sh` runs each system in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from arthur.encode import EngineSpec
from arthur.encode.batch import Batched
from arthur.encode.folder import EngineFolder, open_folder
from arthur.encode.golden import distances, load_golden
from arthur.types import Pixels, Vectors
from bench.gpu.systems import SYSTEMS, Setting, System

Row = dict[str, object]
CLIENTS = 64
_WARM_UPS = 3


def timed(run: Callable[[], object], *, seconds: float) -> Iterator[float]:
    """Call for a while and yield the milliseconds of every call."""
    end = time.perf_counter() + seconds
    while (start := time.perf_counter()) < end:
        run()
        yield (time.perf_counter() - start) * 1e3


def squares(folder: EngineFolder, count: int) -> Pixels:
    """Draw noise: engines take the same time for every picture."""
    side = folder.facts.side
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


def parity(system: System, folder: EngineFolder) -> Iterator[Row]:
    """Compare with the full graph on the CPU: each vector, whose nearest it is, and alone against in company."""
    golden = load_golden(folder.path / "golden.npz", facts=folder.facts)
    found = system.run(golden.pixels)
    alone = np.concatenate([system.run(golden.pixels[place : place + 1]) for place in range(len(golden.pixels))])
    nearest = (found @ golden.vectors.T).argmax(axis=1)
    yield {
        "part": "parity",
        "cosine": float(1 - distances(found, golden.vectors).max()),
        "alone": float(np.abs(alone - found).max()),
        "same_nearest": float((nearest == np.arange(len(nearest))).mean()),
    }


def calls(system: System, folder: EngineFolder, batches: Sequence[int], *, seconds: float) -> Iterator[Row]:
    """Time single calls, and as many at once as the system takes."""
    for batch in batches:
        pixels = squares(folder, batch)
        begun = time.perf_counter()
        for _ in range(_WARM_UPS):
            system.run(pixels)
        yield {"part": "warm-up", "batch": batch, "ms": (time.perf_counter() - begun) * 1e3}
        for ms in timed(lambda p=pixels: system.run(p), seconds=seconds):
            yield {"part": "call", "batch": batch, "ms": ms}
        yield {"part": "throughput", "batch": batch, "images_s": throughput(system, pixels, seconds=seconds)}


def throughput(system: System, pixels: Pixels, *, seconds: float) -> float:
    """Return pictures in a second where `parallel` threads call without a pause."""

    def work(_: int) -> int:
        return sum(1 for _ in timed(lambda: system.run(pixels), seconds=seconds)) * len(pixels)

    begun = time.perf_counter()
    with ThreadPoolExecutor(system.parallel) as pool:
        done = sum(pool.map(work, range(system.parallel)))
    return done / (time.perf_counter() - begun)


class Direct:
    """A system as an encoder. See Encoder."""

    def __init__(self, system: System, folder: EngineFolder) -> None:
        facts = folder.facts
        self.spec = EngineSpec(facts.name, facts.side, facts.fit, facts.dim, "0" * 64)
        self._system = system

    def encode(self, pixels: Pixels) -> Vectors:
        """See Encoder.encode."""
        return self._system.run(pixels)

    def close(self) -> None:
        """Nothing to free."""


def crowd(system: System, folder: EngineFolder, *, batch_max: int, seconds: float) -> Iterator[Row]:
    """Let one client and then 64 send single pictures through the batcher, each the next when it has its answer."""
    for clients in (1, CLIENTS):
        encoder = Batched(Direct(system, folder), batch_max=batch_max, lanes=system.parallel)
        pixels, gate = squares(folder, 1), threading.Barrier(clients)

        def work(_: int) -> list[float]:
            gate.wait()  # noqa: B023 - all of them end before the next round
            return list(timed(lambda: encoder.encode(pixels), seconds=seconds))  # noqa: B023 - the same

        with ThreadPoolExecutor(clients) as pool:
            for times in pool.map(work, range(clients)):
                yield from ({"part": "clients", "clients": clients, "ms": ms} for ms in times)
        encoder.close()


def rows(folder: EngineFolder, name: str, given: argparse.Namespace) -> Iterator[Row]:
    """Measure one system, from opening it on."""
    batch_max = max(given.batches)
    setting = Setting(folder, given.device, batch_max, "fp32" if given.device == "cpu" else given.precision)
    begun = time.perf_counter()
    with SYSTEMS[name](setting) as system:
        yield {"part": "open", "ms": (time.perf_counter() - begun) * 1e3, "note": system.note}
        yield from parity(system, folder)
        yield from calls(system, folder, given.batches, seconds=given.seconds)
        yield from crowd(system, folder, batch_max=min(CLIENTS, batch_max), seconds=given.seconds)


def main() -> int:
    """Measure, and return 1 when the system broke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine", type=Path, help="folder of the engine, as `bench.gpu.engines` writes it")
    parser.add_argument("system", choices=SYSTEMS)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--precision", default="fp16")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8, 32, 64, 128, 256])
    parser.add_argument("--seconds", type=float, default=1.0)
    given = parser.parse_args()
    folder = open_folder(given.engine)
    columns = {"engine": folder.facts.name, "system": given.system, "precision": given.precision}
    columns |= {"device": given.device, "python": platform.python_version(), "at": time.time()}
    path = given.out / f"rows-{folder.facts.name}-{given.system.replace(' ', '-')}.jsonl"
    with path.open("w", encoding="utf-8", buffering=1) as out:  # a line is there even if this is killed
        try:
            for row in rows(folder, given.system, given):
                out.write(json.dumps({**columns, **row}) + "\n")
        except Exception as error:  # noqa: BLE001 - whatever a system raises is what is to be told
            reason = f"{type(error).__name__}: {error}".partition("\n")[0]
            out.write(json.dumps({**columns, "part": "error", "note": reason}) + "\n")
            print(f"{folder.facts.name} {given.system}: {reason}", file=sys.stderr, flush=True)
            return 1
    print(f"{folder.facts.name} {given.system}: done", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
