"""Write, then match, over several workers: how many matches miss what was just answered, and how long both take.

    python -m bench.read_your_writes [--pairs 10000] [--workers 4] [--callers 4] [--server granian] [--whole]

Each pair is the PUT of a picture that nobody has seen and a match of it, each on a connection of its own, so that any
worker may answer either. Every tenth view is then removed and matched once more: it must be gone. A refusal (429) is
tried again. Pictures are small and answered by vectors alone unless `--whole` asks for local features and thumbnails.

Raw rows go to `bench/results/read_your_writes.parquet`; the exit status is 1 when anything was missed.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path

import httpx
import numpy as np
import polars as pl
from PIL import Image

from bench import record
from bench.overload import free_port

REMOVED_EVERY = 10


@contextmanager
def serving(data: Path, given: argparse.Namespace) -> Iterator[str]:
    """Run `arthur serve` on a free port and yield its address."""
    port = free_port()
    lean = {} if given.whole else {"ARTHUR_LOCAL": "none:", "ARTHUR_THUMBNAIL_SIDE": "0"}
    command = [sys.executable, "-m", "arthur", "serve", "--data", str(data), "--port", str(port)]
    command += ["--server", given.server, "--workers", str(given.workers), "--log-level", "warning"]
    server = subprocess.Popen(["nice", "-n", "5", *command], env=os.environ | lean)
    try:
        end = time.monotonic() + 120
        while time.monotonic() < end and server.poll() is None:
            with suppress(httpx.TransportError):
                if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200:
                    break
            time.sleep(0.1)
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=60)


def drawn(seed: int) -> bytes:
    """Draw a picture that only its seed decides."""
    blocks = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    encoded = io.BytesIO()
    Image.fromarray(blocks).resize((128, 128), Image.Resampling.BICUBIC).save(encoded, "PNG")
    return encoded.getvalue()


class Caller:
    """Sends pairs, each request on a connection of its own."""

    def __init__(self, address: str, chance: random.Random) -> None:
        self._address = address
        self._chance = chance

    def pair(self, number: int) -> list[dict[str, object]]:
        """Write and match, and for some remove and match; return a row each."""
        name, picture = f"work-{number}", drawn(number)
        path = f"/api/v1/artists/a/entries/{name}/views/main"
        rows = [self._ask(number, "put", "PUT", path, picture), self._match(number, picture, name, there=True)]
        if number % REMOVED_EVERY == 0:
            rows.append(self._ask(number, "remove", "DELETE", path, b""))
            rows.append(self._match(number, picture, name, there=False))
        return rows

    def _match(self, number: int, picture: bytes, name: str, *, there: bool) -> dict[str, object]:
        """Match a picture; `missed` tells whether the answer shows a state before the last write."""
        path = "/api/v1/match?k=3&verify=never"
        row = self._ask(number, "match" if there else "match removed", "POST", path, picture)
        found = [one["entry_id"] for one in row.pop("answer")["matches"]]  # type: ignore[index]  # JSON
        missed = found[:1] != [name] if there else name in found
        return {**row, "missed": missed}

    def _ask(self, number: int, kind: str, method: str, path: str, body: bytes) -> dict[str, object]:
        refused, begun = 0, time.perf_counter()
        while True:
            headers = {"content-type": "image/png"} if body else {}
            status, answer = self._sent(method, path, body, headers)
            if status != 429:
                break
            refused += 1
            time.sleep(self._chance.uniform(0.05, 0.3))
        ms = 1000 * (time.perf_counter() - begun)
        if status not in (200, 201):
            raise SystemExit(f"{method} {path} was answered {status}: {answer!r}")
        row = {"pair": number, "kind": kind, "ms": ms, "refused": refused, "missed": False}
        return {**row, "answer": json.loads(answer)} if method == "POST" else row

    def _sent(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        with closing(HTTPConnection(self._address, timeout=120)) as connection:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()


def report(rows: pl.DataFrame) -> str:
    """Return the figures as text."""
    lines = []
    for (kind,), of in rows.group_by("kind", maintain_order=True):
        told = "  ".join(f"p{int(100 * q)} {of['ms'].quantile(q):.1f}" for q in (0.5, 0.99))
        lines.append(f"{kind}: {of.height}, {of['missed'].sum()} missed, {of['refused'].sum()} refusals, {told} ms")
    return "\n".join(lines)


def main() -> int:
    """Run the benchmark and write its rows."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--pairs", type=int, default=10_000)
    arguments.add_argument("--workers", type=int, default=4)
    arguments.add_argument("--callers", type=int, default=4)
    arguments.add_argument("--server", default="robyn", choices=["robyn", "granian"])
    arguments.add_argument("--whole", action="store_true", help="with local features and thumbnails")
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    columns = record.context(given.seed, packages=["robyn", "granian", "onnxruntime", "numpy"])
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "data", given) as address:
        caller = Caller(address, random.Random(given.seed))
        with ThreadPoolExecutor(given.callers) as pool:
            for of_pair in pool.map(caller.pair, range(given.pairs)):
                rows += of_pair
    chosen = {name: getattr(given, name) for name in ("server", "workers", "callers", "whole")}
    path = record.write("read_your_writes", rows, {**columns, **chosen})
    read = pl.read_parquet(path)
    print(report(read))
    print(f"rows in {path}")
    return int(read["missed"].any())


if __name__ == "__main__":
    sys.exit(main())
