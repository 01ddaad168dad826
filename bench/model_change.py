"""A catalogue moves from one engine to another while a server answers: what visitors and the curator feel.

    python -m bench.model_change [--views 50000] [--rate 0] [--share 1.0] [--hidden 0] [--seed 1]

Both engines are random projections of 32 x 32 pixels to 64 numbers: of the same length, so that an answer by vectors of
both would show in its score alone, and so fast that everything but the engine is measured. Pictures are small mosaics,
kept as thumbnails only; geometry is switched off. Two visitors ask for enrolled works and a curator enrolls new ones
and asks for them at once, each in a closed loop with pauses of 50 ms. `arthur reindex` is killed (kill -9) at half of
the views and started again with `--switch`, and at the end `--rollback` goes back. Raw rows go to
`bench/results/model_change.parquet`.

With `--hidden 16384` the second engine goes through so many numbers in between, which makes it 200 MB to load; rows
then go to `bench/results/model_change-hidden.parquet`.
"""

from __future__ import annotations

import argparse
import io
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

import httpx
import numpy as np
import onnx
import polars as pl
from PIL import Image

from arthur.blobs import open_blobs
from arthur.catalog import Catalog, open_catalog
from arthur.config import load_settings
from arthur.decode import ImageDecoder
from arthur.encode import open_encoder
from arthur.encode.export.graph import Graph, pixels_input
from arthur.encode.folder import open_folder
from arthur.pictures import thumbnail_name
from arthur.types import NewView, ViewId
from bench import record
from bench.serve import serving

SIDE, DIM = 32, 64
GROUP = 500
NEW = 200
"""Views that the curator enrolls again and again."""
ALIKE = 0.95
PAUSE_S = 0.05
JPEG = {"content-type": "image/jpeg"}
FACTS = """
name = "{name}"
architecture = "random projection"
licence = "Apache-2.0"
side = {side}
fit = "stretch"
dim = {dim}
mean = [0.5, 0.5, 0.5]
std = [0.25, 0.25, 0.25]
[image]
file = "image.onnx"
"""


def write_engine(folder: Path, seed: int, *, hidden: int = 0) -> Path:
    """Write an engine folder: unit rows of a random projection of the pixels, through `hidden` numbers unless 0."""
    folder.mkdir(parents=True)
    graph = Graph(folder.name)
    values = graph.node("Cast", "pixels", to=onnx.TensorProto.FLOAT)
    chance = np.random.default_rng(seed)
    matrix = chance.standard_normal((SIDE * SIDE * 3, hidden or DIM), dtype=np.float32)
    centred = matrix - matrix.mean(axis=0)
    rows = graph.linear(graph.reshape(values, [0, SIDE * SIDE * 3]), centred)
    if hidden:
        rows = graph.linear(rows, chance.standard_normal((hidden, DIM), dtype=np.float32))
    vectors = graph.unit(rows)
    onnx.save(graph.model(pixels_input(SIDE), vectors, dim=DIM), folder / "image.onnx")
    (folder / "engine.toml").write_text(FACTS.format(name=folder.name, side=SIDE, dim=DIM))
    return folder


def mosaic(number: int) -> bytes:
    """Draw picture `number`: 8 x 8 colours, a JPEG of 64 x 64."""
    grid = np.random.default_rng([7, number]).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(grid).resize((64, 64), Image.Resampling.NEAREST).save(out, "JPEG", quality=85)
    return out.getvalue()


def fill(catalog: Catalog, blobs_url: str, engine: Path, views: int) -> None:
    """Put the pictures into the catalogue as an import would, in large transactions."""
    blobs, decode = open_blobs(blobs_url), ImageDecoder()
    with closing(open_encoder(str(engine), threads=1)) as encoder:
        spec = encoder.spec
        for first in range(0, views, GROUP):
            numbers = range(first, min(first + GROUP, views))
            pictures = [mosaic(number) for number in numbers]
            vectors = encoder.encode(np.stack([decode(one, SIDE, fit=spec.fit).pixels for one in pictures]))
            rows = [
                NewView(
                    ViewId(f"a{number % 100}", str(number), "main"), vector, spec.fingerprint, "", "", "jpeg", 64, 64,
                    len(picture), passport=spec.passport,
                )
                for number, picture, vector in zip(numbers, pictures, vectors, strict=True)
            ]  # fmt: skip
            for put, picture in zip(catalog.put(rows), pictures, strict=True):
                blobs.put(thumbnail_name(put.stored), picture)


@dataclass
class Load:
    """Visitors and a curator. `phase` is what the operator does meanwhile."""

    url: str
    views: int
    began: float = field(default_factory=time.perf_counter)
    phase: str = "before"
    rows: list[dict[str, object]] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def visit(self, seed: int) -> None:
        """Ask for enrolled works, on a new connection now and then, so that every worker is asked."""
        chance = np.random.default_rng(seed)
        while not self.stop.is_set():
            with httpx.Client(timeout=120) as client:
                for number in chance.integers(self.views, size=20).tolist():
                    self._match(client, "match", number)
                    self.stop.wait(PAUSE_S)

    def curate(self) -> None:
        """Enroll works and ask for each at once, on a connection of its own."""
        for turn in count():
            number = self.views + turn % NEW
            with httpx.Client(timeout=120) as client:
                path = f"{self.url}/api/v1/artists/new/entries/{number}/views/main"
                self._note("enroll", number, partial(client.put, path, content=mosaic(number), headers=JPEG))
                self._match(client, "match_new", number)
            if self.stop.wait(PAUSE_S):
                return

    def _match(self, client: httpx.Client, kind: str, number: int) -> None:
        path = f"{self.url}/api/v1/match?k=1&verify=never"
        self._note(kind, number, partial(client.post, path, content=mosaic(number), headers=JPEG))

    def _note(self, kind: str, number: int, ask: Callable[[], httpx.Response]) -> None:
        began, phase = time.perf_counter(), self.phase
        row: dict[str, object] = {"kind": kind, "phase": phase, "at_s": began - self.began, "engine": "", "right": True}
        try:
            answer = ask()
            row["status"] = answer.status_code
            if kind != "enroll" and answer.status_code == 200:
                told = answer.json()
                best = told["matches"][0]
                row["engine"] = told["engine"].partition("@")[0]
                row["right"] = best["entry_id"] == str(number) and best["score"] > ALIKE
        except httpx.TransportError as error:
            row["status"], row["error"] = 0, str(error)
        row["ms"] = (time.perf_counter() - began) * 1000
        self.rows.append(row)

    def moved(self, engine: str) -> bool:
        """Whether the last answers are all by that engine."""
        last = [row["engine"] for row in self.rows[-200:] if row["engine"]]
        return bool(last) and set(last[-30:]) == {engine}


@contextmanager
def under_load(url: str, views: int) -> Iterator[Load]:
    """Ask and write until the block ends."""
    load = Load(url, views)
    with ThreadPoolExecutor(3) as pool:
        work = [pool.submit(load.visit, 1), pool.submit(load.visit, 2), pool.submit(load.curate)]
        try:
            yield load
        finally:
            load.stop.set()
    for one in work:
        one.result()


def reindex(data: Path, *words: object) -> subprocess.Popen[bytes]:
    """Start `arthur reindex`, in the background of the machine as an operator would."""
    command = ["nice", "-n", "2", sys.executable, "-m", "arthur", "reindex", "--data", data, "--json", *words]
    return subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL)


def ended(process: subprocess.Popen[bytes]) -> None:
    """Wait for a command and stop the bench if it failed."""
    if process.wait():
        raise SystemExit(f"arthur reindex ended with {process.returncode}")


def wait(true: Callable[[], bool], *, every_s: float = 0.1) -> None:
    """Wait until `true()`."""
    while not true():
        time.sleep(every_s)


def vectors_of(catalog: Catalog, fingerprint: str) -> int:
    """Return how many vectors there are of an engine."""
    return sum(known.vectors for known in catalog.engines() if known.fingerprint == fingerprint)


def change(load: Load, catalog: Catalog, data: Path, new: Path, options: argparse.Namespace) -> dict[str, float]:
    """Move, killed at half of the way, and go back; return what took how long, seconds."""
    fingerprint, half = open_folder(new).spec().fingerprint, options.views // 2
    pace = ("--rate", options.rate, "--share", options.share)
    took: dict[str, float] = {}
    time.sleep(options.before_s)
    load.phase, began = "embedding", time.perf_counter()
    first = reindex(data, "--engine", new, "--shadow", 0, *pace)
    wait(lambda: vectors_of(catalog, fingerprint) >= half, every_s=0.5)
    first.kill()
    first.wait()
    kept = vectors_of(catalog, fingerprint)
    took |= {"killed_at_views": kept, "to_kill_s": time.perf_counter() - began}
    began = time.perf_counter()
    second = reindex(data, "--engine", new, "--shadow", options.shadow, "--switch", *pace)
    wait(lambda: catalog.engine() == fingerprint or second.poll() is not None)
    took["again_to_switch_s"] = time.perf_counter() - began
    load.phase, began = "switching", time.perf_counter()
    ended(second)
    wait(lambda: load.moved("after"))
    took["to_moved_s"] = time.perf_counter() - began
    load.phase = "after"
    time.sleep(options.before_s)
    load.phase, began = "rolling back", time.perf_counter()
    ended(reindex(data, "--rollback"))
    wait(lambda: load.moved("before"))
    took["rollback_s"] = time.perf_counter() - began
    return took


def report(rows: pl.DataFrame, took: dict[str, float]) -> None:
    """Print what was felt in each phase."""
    wrong = rows.filter(~pl.col("right")).height
    failed = rows.filter(~pl.col("status").is_in([200, 201])).height
    print(f"{rows.height} requests, {failed} failed, {wrong} wrong answers; {took}")
    felt = rows.group_by("kind", "phase").agg(
        pl.len().alias("n"), *(pl.col("ms").quantile(q).round(1).alias(f"p{q * 100:g}") for q in (0.5, 0.95, 0.99, 1.0))
    )
    print(felt.sort("kind", "phase"))


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--views", type=int, default=50_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--hidden", type=int, default=0)
    parser.add_argument("--shadow", type=int, default=40)
    parser.add_argument("--before-s", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    columns = record.context(options.seed, packages=["onnxruntime", "robyn", "sqlalchemy"])
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / "data"
        engines = [
            write_engine(Path(scratch) / "before", options.seed),
            write_engine(Path(scratch) / "after", options.seed + 1, hidden=options.hidden),
        ]
        os.environ |= {"ARTHUR_ENGINE": str(engines[0]), "ARTHUR_LOCAL": "none:", "ARTHUR_ENGINE_THREADS": "1"}
        settings = load_settings(data=data)
        with closing(open_catalog(settings.catalog_url)) as catalog:
            began = time.perf_counter()
            fill(catalog, settings.blobs_url, engines[0], options.views)
            print(f"filled with {options.views} views in {time.perf_counter() - began:.0f} s")
            with serving(data, options.workers) as client, under_load(str(client.base_url), options.views) as load:
                took = change(load, catalog, data, engines[1], options)
    frame = pl.DataFrame(load.rows, infer_schema_length=None)
    report(frame, took)
    facts = {"views": options.views, "workers": options.workers, "rate": options.rate, "share": options.share}
    facts["hidden"] = options.hidden
    path = record.write(
        "model_change-hidden" if options.hidden else "model_change", load.rows, {**columns, **facts, **took}
    )
    print(path)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    main()
