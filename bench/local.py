"""The local index by catalogue size: cost of a query, bytes a work, build, reopening.

Run with `python -m bench.local [--works 10000 ...]`; the rows go to `results/local.parquet`. Works are synthetic and
made in blocks; `cpu_ms` is the time of the thread alone.
"""

from __future__ import annotations

import argparse
import json
import pickle
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np
import polars as pl

from arthur.local import LocalIndex, open_local
from arthur.types import Filter, LocalQuery
from bench.features import Works, photos, works
from bench.record import context, write

SEED = 20
QUERIES = 200
BLOCK = 5000
ARTISTS = 100

Row = dict[str, object]

PROBE = """
import json, pickle, sys, time
from arthur.local import open_local

def memory():
    lines = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
    return {name: int(lines[name].split()[0]) * 1024 for name in ("RssAnon", "RssFile")}

queries, before, start = pickle.load(open(sys.argv[2], "rb")), memory(), time.perf_counter()
index = open_local(sys.argv[1], fingerprint="bench")
opened = time.perf_counter() - start
index.search(queries[0], 10)
first = time.perf_counter() - start
for query in queries:
    index.search(query, 10)
after = memory()
print(json.dumps({"opened_s": opened, "first_answer_s": first, **{name: after[name] - before[name] for name in after}}))
"""


def built(index: LocalIndex, drawn: Works, count: int) -> Row:
    """Put `count` works and write them; return wall and CPU seconds without those of drawing the works."""
    wall = cpu = 0.0
    for number in range(-(-count // BLOCK)):
        keys = np.arange(number * BLOCK, min((number + 1) * BLOCK, count))
        features = [row.tobytes() for row in drawn.block(number, len(keys))]
        wall_start, cpu_start = time.perf_counter(), time.process_time()
        index.put(keys, features, keys % ARTISTS)
        index.advance(int(keys[-1]) + 1)
        wall, cpu = wall + time.perf_counter() - wall_start, cpu + time.process_time() - cpu_start
    wall_start, cpu_start = time.perf_counter(), time.process_time()
    index.checkpoint()
    return {"wall_s": wall + time.perf_counter() - wall_start, "cpu_s": cpu + time.process_time() - cpu_start}


def asked(index: LocalIndex, queries: list[LocalQuery], truth: list[int], where: Filter | None) -> list[Row]:
    """Ask every query; note its cost and whether the work came first."""
    rows: list[Row] = []
    for number, (query, key) in enumerate(zip(queries, truth, strict=True)):
        wall, cpu = time.perf_counter(), time.thread_time()
        answer = index.search(query, 10, where=where)
        wall, cpu = time.perf_counter() - wall, time.thread_time() - cpu
        found = bool(answer.keys[0, 0] == key)
        rows.append({"query": number, "wall_ms": wall * 1e3, "cpu_ms": cpu * 1e3, "first": found})
    return rows


def throughput(index: LocalIndex, queries: list[LocalQuery], threads: int, seconds: float = 3.0) -> Row:
    """Return how many queries `threads` threads get answered in a second."""
    counts, end = [0] * threads, time.perf_counter() + seconds

    def ask(thread: int) -> None:
        while time.perf_counter() < end:
            index.search(queries[(counts[thread] + 7 * thread) % len(queries)], 10)
            counts[thread] += 1

    workers = [threading.Thread(target=ask, args=(thread,)) for thread in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return {"threads": threads, "qps": sum(counts) / seconds}


def reopened(url: str, queries: list[LocalQuery]) -> Row:
    """Open the folder in a process of its own; return the time to the first answer and the memory it takes."""
    with tempfile.NamedTemporaryFile(suffix=".pickle") as file:
        pickle.dump(queries, file)
        file.flush()
        command = [sys.executable, "-c", PROBE, url, file.name]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def measured(count: int) -> list[Row]:
    """Return all observations at one size."""
    drawn, rows = works(SEED), []

    def note(measure: str, *observed: Row) -> None:
        rows.extend({"n": count, "measure": measure, **one} for one in observed)

    with tempfile.TemporaryDirectory() as folder:
        url = f"inverted:{folder}/index"
        index = open_local(url, fingerprint="bench")
        note("build", built(index, drawn, count))
        truth = np.random.default_rng(SEED).integers(0, min(count, BLOCK), QUERIES)
        queries = list(photos(drawn, drawn.block(0, min(count, BLOCK))[truth]))
        asked(index, queries, truth.tolist(), None)  # what the page tables have to learn is not the index's cost
        note("query", *asked(index, queries, truth.tolist(), None))
        note("filter", *asked(index, queries, truth.tolist(), Filter(tuple(range(10)))))
        for threads in (1, 2):
            note("throughput", throughput(index, queries, threads))
        note("stats", dict(index.stats()))
        index.close()
        note("reopen", reopened(url, queries))
    return rows


def summary(rows: list[Row]) -> None:
    """Print what the rows say."""
    frame = pl.DataFrame(rows, infer_schema_length=None)
    costs = [
        pl.col(name).quantile(q).alias(f"{name} p{q * 100:.0f}") for name in ("cpu_ms", "wall_ms") for q in (0.5, 0.95)
    ]
    queries = frame.filter(pl.col("measure").is_in(["query", "filter"])).group_by("n", "measure", maintain_order=True)
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=160, tbl_hide_dataframe_shape=True):
        print(queries.agg(*costs, pl.col("first").mean()))
        for measure in ("build", "throughput", "reopen", "stats"):
            part = frame.filter(pl.col("measure") == measure)
            print(part.select(column.name for column in part if column.null_count() < len(part)))


def main() -> None:
    """Measure each size in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--works", type=int, nargs="+", default=[10_000, 100_000])
    columns = context(SEED, packages=("numpy",))
    rows = [row for count in parser.parse_args().works for row in measured(count)]
    print(write("local", rows, columns))
    summary(rows)


if __name__ == "__main__":
    main()
