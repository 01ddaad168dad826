"""Recognition over HTTP: enroll pictures through the legacy API, match distorted copies, report recall and latency.

    python -m bench.serve [--pictures FOLDER] [--limit 200] [--workers 1]

Without a folder, paintings are drawn.

Latency is closed-loop with one client. Raw rows go to `bench/results/serve.parquet`.
"""

from __future__ import annotations

import argparse
import io
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import polars as pl
from PIL import Image

from bench import record
from bench.artphoto.paintings import painting
from bench.distort import distort

EXTENSIONS = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif"}


@contextmanager
def serving(data: Path, workers: int) -> Iterator[httpx.Client]:
    """Run `arthur serve` on a free port and yield a client of it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "arthur", "serve", "--data", data, "--port", str(port), "--workers", str(workers)]
    server = subprocess.Popen(command)
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)
    try:
        _wait_ready(server, client)
        yield client
    finally:
        client.close()
        server.terminate()
        server.wait(timeout=60)


def _wait_ready(server: subprocess.Popen[bytes], client: httpx.Client) -> None:
    deadline = time.monotonic() + 60
    while server.poll() is None and time.monotonic() < deadline:
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise SystemExit("the server did not become ready")


def draw(folder: Path, count: int) -> Path:
    """Draw `count` paintings by as many artists into `folder` and return it."""
    folder.mkdir(parents=True)
    for number in range(count):
        Image.fromarray(painting(number, 0, 0, size=640)).save(folder / f"work-{number:04}.jpg", quality=90)
    return folder


def enroll(client: httpx.Client, paths: list[Path]) -> list[dict[str, object]]:
    """Enroll each picture as one work of one artist; return one row each."""
    rows: list[dict[str, object]] = []
    for path in paths:
        data = path.read_bytes()
        started = time.perf_counter()
        answer = client.post(f"/artist/image/bench/{path.stem}/main", files={"imgFile": (path.name, data)})
        elapsed_ms = 1000 * (time.perf_counter() - started)
        answer.raise_for_status()
        rows.append({"stage": "enroll", "picture": path.stem, "bytes": len(data), "ms": elapsed_ms, "rank": None})
    return rows


def match(client: httpx.Client, paths: list[Path], seed: int) -> list[dict[str, object]]:
    """Match a distorted copy of each picture; `rank` is 1 for the right work first, 0 for not among the answers."""
    rows: list[dict[str, object]] = []
    for number, path in enumerate(paths):
        with Image.open(path) as picture:
            copy = distort(picture, seed + number)
        started = time.perf_counter()
        answer = client.post("/match", files={"imgFile": ("photo.jpg", copy)})
        elapsed_ms = 1000 * (time.perf_counter() - started)
        answer.raise_for_status()
        found = [row["entryId"] for row in answer.json()["matches"]]
        rank = found.index(path.stem) + 1 if path.stem in found else 0
        rows.append({"stage": "match", "picture": path.stem, "bytes": len(copy), "ms": elapsed_ms, "rank": rank})
    return rows


def match_size(client: httpx.Client, path: Path, target_bytes: int, repeats: int) -> list[dict[str, object]]:
    """Time the match of one picture enlarged until its JPEG has about `target_bytes`."""
    with Image.open(path) as picture:
        rgb = picture.convert("RGB")
    data = b""
    for scale in (1.0, 1.5, 2.0, 2.5, 3.0, 4.0):
        out = io.BytesIO()
        size = (int(rgb.width * scale), int(rgb.height * scale))
        rgb.resize(size, Image.Resampling.BICUBIC).save(out, "JPEG", quality=85)
        data = out.getvalue()
        if len(data) >= target_bytes:
            break
    rows: list[dict[str, object]] = []
    for turn in range(repeats):
        # a trailing comment after the end marker makes the bytes new, so that no cache answers
        fresh = data + turn.to_bytes(4, "big")
        started = time.perf_counter()
        client.post("/match", files={"imgFile": ("photo.jpg", fresh)}).raise_for_status()
        elapsed_ms = 1000 * (time.perf_counter() - started)
        rows.append({"stage": "match_200kb", "picture": path.stem, "bytes": len(fresh), "ms": elapsed_ms, "rank": None})
    return rows


def report(rows: pl.DataFrame) -> str:
    """Return recall@1 and the latency percentiles by stage as text."""
    right = rows.filter(pl.col("stage") == "match")["rank"].eq(1).mean()
    lines = [f"recall@1 {right:.3f}"]
    for (stage,), group in rows.group_by("stage", maintain_order=True):
        p50, p95 = (group["ms"].quantile(q) for q in (0.5, 0.95))
        lines.append(
            f"{stage:12} n {group.height:4}  median {p50:6.1f} ms  p95 {p95:6.1f} ms  {group['bytes'].median():9.0f} B"
        )
    return "\n".join(lines)


def main() -> None:
    """Run the benchmark and write its rows."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--pictures", type=Path, help="folder of catalogue pictures; drawn when not given")
    arguments.add_argument("--limit", type=int, default=200)
    arguments.add_argument("--workers", type=int, default=1)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    columns = record.context(given.seed, packages=["robyn", "onnxruntime", "numpy"])
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "data", given.workers) as client:
        pictures = given.pictures or draw(Path(folder) / "pictures", given.limit)
        paths = sorted(path for path in pictures.iterdir() if path.suffix.lower() in EXTENSIONS)[: given.limit]
        rows = enroll(client, paths) + match(client, paths, given.seed)
        rows += match_size(client, paths[0], 200_000, repeats=100)
    path = record.write("serve", rows, columns)
    print(report(pl.read_parquet(path)))
    print(f"rows in {path}")


if __name__ == "__main__":
    main()
