"""How fast the catalogue is: puts one by one, in batches and by threads, replay, and the reads of every request.

usage: python -m bench.catalog [--rows N] [--folder FOLDER] [--url postgresql://...]... [--sizes N...]; measures SQLite
in a new file and each catalogue named, which must be empty; writes results/catalog.parquet and prints percentiles.
With --sizes only the bytes that such catalogues of SQLite take, to results/catalog-size.parquet.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from arthur.catalog import Catalog, open_catalog
from arthur.types import NewView, ViewId
from bench.record import context, write

SEED = 1
DIM = 512
BATCH = 1000
SINGLES = 400
THREADS = 8
READS = 2000
REPLAYS = 5
PAGE = 20_000

Row = dict[str, object]


def new_views(count: int, *, prefix: str) -> list[NewView]:
    """Return views with random vectors: three an entry, fifteen an artist."""
    vectors = np.random.default_rng(SEED).standard_normal((count, DIM), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = [ViewId(f"{prefix} artist {i // 15}", f"entry {i // 3}", f"view {i}") for i in range(count)]
    return [
        NewView(view, vector, "bench", f"{i:064x}", "", "jpeg", 3000, 2000, 900_000, {"title": f"Untitled {i}"})
        for i, (view, vector) in enumerate(zip(ids, vectors, strict=True))
    ]


def timed(name: str, items: int, call: Callable[[], object]) -> Row:
    """Run `call` once and return one observation; the processor's time tells what a busy machine hides."""
    begin, cpu_begin = time.perf_counter(), time.process_time()
    call()
    end, cpu_end = time.perf_counter(), time.process_time()
    return {"what": name, "items": items, "seconds": end - begin, "cpu_seconds": cpu_end - cpu_begin}


def put_each(catalog: Catalog, views: Sequence[NewView]) -> list[Row]:
    """Put one view a call and time each call."""
    return [timed("put of one", 1, partial(catalog.put, [view])) for view in views]


def put_by_threads(catalog: Catalog, views: Sequence[NewView]) -> list[Row]:
    """Put one view a call from several threads and time the whole."""

    def put(view: NewView) -> None:
        catalog.put([view])

    with ThreadPoolExecutor(THREADS) as threads:
        return [timed(f"put of one, {THREADS} threads, whole", len(views), lambda: list(threads.map(put, views)))]


def put_batches(catalog: Catalog, views: Sequence[NewView]) -> list[Row]:
    """Put many views a call and time each call."""
    starts = range(0, len(views), BATCH)
    return [timed(f"put of {BATCH}", BATCH, partial(catalog.put, views[start : start + BATCH])) for start in starts]


def replay(catalog: Catalog) -> None:
    """Read the whole history as a new follower does."""
    since, more = 0, True
    while more:
        changes = catalog.changes(since, PAGE, "bench")
        since, more = changes.upto, changes.more


def read(catalog: Catalog, keys: np.ndarray) -> list[Row]:
    """Time what each recognition reads, and a replay."""
    rng = np.random.default_rng(SEED)
    some = [rng.choice(keys, 20, replace=False) for _ in range(READS)]
    return [
        *(timed("latest", 1, catalog.latest) for _ in range(READS)),
        *(timed("counts", 1, catalog.counts) for _ in range(READS)),
        *(timed("views of 20 keys", 20, partial(catalog.views, chosen)) for chosen in some),
        *(timed("vectors of 20 keys", 20, partial(catalog.vectors, chosen, "bench")) for chosen in some),
        *(timed("changes, 1 put", 1, partial(catalog.changes, len(keys) - 1, PAGE, "bench")) for _ in range(READS)),
        *(timed("replay", len(keys), partial(replay, catalog)) for _ in range(REPLAYS)),
    ]


def sync_cost(folder: Path) -> list[Row]:
    """Time the disk's own sync, below which no durable write can go."""
    with (folder / "sync").open("wb", buffering=0) as file:

        def append() -> None:
            file.write(bytes(4096))
            os.fsync(file.fileno())

        return [timed("sync of 4 KiB by the disk", 1, append) for _ in range(SINGLES)]


def observe(url: str, rows: int) -> list[Row]:
    """Return all observations, made in a new catalogue of `rows` views."""
    catalog = open_catalog(url)
    found = put_batches(catalog, new_views(rows, prefix="batch"))
    keys = np.arange(1, rows + 1, dtype=np.int64)
    found += read(catalog, keys)
    found += put_each(catalog, new_views(SINGLES, prefix="single"))
    found += put_by_threads(catalog, new_views(SINGLES * 4, prefix="threads"))
    catalog.close()
    return [row | {"database": url.partition(":")[0]} for row in found]


def sizes(folder: Path, rows: int) -> Row:
    """Return the bytes of a closed SQLite catalogue of `rows` views, with vectors and without local features."""
    file = folder / f"size-{rows}.db"
    catalog = open_catalog(f"sqlite:///{file}")
    put_batches(catalog, new_views(rows, prefix="batch"))
    catalog.close()
    return {"what": "size", "items": rows, "bytes": sum(path.stat().st_size for path in folder.glob(f"{file.name}*"))}


def main() -> None:
    """Measure, keep the raw rows and print a summary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--folder", type=Path, default=None, help="on the disk to be measured")
    parser.add_argument("--url", action="append", default=[], help="a further catalogue, which must be empty")
    parser.add_argument("--sizes", type=int, nargs="+", default=[], help="views of the catalogues to weigh")
    given = parser.parse_args()
    if given.sizes:
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            weighed = [sizes(Path(folder), rows) for rows in given.sizes]
        print(write("catalog-size", weighed, context(SEED, packages=("sqlalchemy", "numpy"))))
        return
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        rows = [row | {"database": "none"} for row in sync_cost(Path(folder))]
        for url in (f"sqlite:///{folder}/catalog.db", *given.url):
            rows += observe(url, given.rows)
    path = write("catalog", rows, context(SEED, packages=("sqlalchemy", "numpy")))
    micros, cpu_micros = pl.col("seconds") * 1e6, pl.col("cpu_seconds") * 1e6
    summary = pl.read_parquet(path).group_by("database", "what", maintain_order=True)
    p50, p99 = micros.median().alias("p50_us"), micros.quantile(0.99).alias("p99_us")
    cpu = cpu_micros.median().alias("p50_cpu_us")
    rate = (pl.col("items").sum() / pl.col("seconds").sum()).alias("items_per_s")
    with pl.Config(tbl_rows=-1, tbl_cols=-1, float_precision=1):
        print(summary.agg(p50, p99, cpu, rate))


if __name__ == "__main__":
    main()
