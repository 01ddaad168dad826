"""The index beside the plain `usearch` package: recall, latency, throughput, build, reopening, memory, filters.

Run with `python -m bench.index [--quick | --million]`; the rows go to `results/index-N.parquet`. Queries of both are
interleaved, so that whatever else the machine does falls on both alike; `cpu_ms` is the processor time of
all threads of the process.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from usearch.index import Index as PlainIndex

from arthur.index import VectorIndex, open_index
from arthur.types import Filter, Keys, Vectors
from bench.embeddings import ARTISTS_PER_CLUSTER, CLUSTERS, DIM, Embeddings, embeddings, nearest
from bench.record import context, write

K = 10
SEED = 20
QUERIES = 1000
WIDTHS = (64, 96, 128, 192, 256, 384, 512)
SHARES = (0.0001, 0.001, 0.01, 0.05, 0.1, 0.3, 0.5, 0.9)

Search = Callable[[Vectors], Keys]
Row = dict[str, object]

PROBE = """
import json, sys, time
import numpy as np
from arthur.index import open_index

def memory():
    lines = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
    return {name: int(lines[name].split()[0]) * 1024 for name in ("RssAnon", "RssFile")}

queries, before, start = np.load(sys.argv[2]), memory(), time.perf_counter()
index = open_index(sys.argv[1], dim=queries.shape[1], fingerprint="bench")
index.search(queries[:1], 10)
first = time.perf_counter() - start
for row in range(len(queries)):
    index.search(queries[row : row + 1], 10)
after = memory()
print(json.dumps({"first_answer_s": first, **{name: after[name] - before[name] for name in after}}))
"""


@dataclass(frozen=True, slots=True)
class Contest:
    """One data set, its exact answers and the rows observed so far."""

    data: Embeddings
    truth: Keys
    rows: list[Row] = field(default_factory=list)

    def note(self, measure: str, subject: str, **values: object) -> None:
        """Keep one observation."""
        self.rows.append({"n": len(self.data.rows), "measure": measure, "subject": subject, **values})


def ours(index: VectorIndex, where: Filter | None = None) -> Search:
    """Return a search of Arthur's index."""
    return lambda query: index.search(query, K, where=where).keys[0]


def plain(index: PlainIndex) -> Search:
    """Return a search of the plain package."""
    return lambda query: index.search(query[0], K).keys.astype(np.int64)


def built(contest: Contest, folder: Path) -> tuple[VectorIndex, PlainIndex]:
    """Build both and note wall and CPU seconds."""
    rows, keys = contest.data.rows, np.arange(len(contest.data.rows))
    with timed(contest, "build", "arthur"):
        index = open_index(f"usearch:{folder}", dim=DIM, fingerprint="bench")
        index.put(keys, rows, contest.data.artists)
        index.advance(len(rows))
        index.checkpoint()
    with timed(contest, "build", "usearch"):
        other = PlainIndex(ndim=DIM, metric="cos", dtype="f16", connectivity=16, expansion_add=128)
        other.add(keys, rows, threads=2)
    return index, other


@contextmanager
def timed(contest: Contest, measure: str, subject: str) -> Iterator[None]:
    """Note the wall and CPU seconds of a block."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    contest.note(measure, subject, wall_s=time.perf_counter() - wall, cpu_s=time.process_time() - cpu)


def compared(contest: Contest, subjects: dict[str, Search], measure: str = "query") -> dict[str, float]:
    """Ask every query of every subject in turn, note each answer, and return the recall of each."""
    hits = dict.fromkeys(subjects, 0)
    for number, truth in enumerate(contest.truth):
        query = contest.data.queries[number : number + 1]
        for subject, search in subjects.items():
            wall, cpu = time.perf_counter(), time.process_time()
            answer = search(query)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            found = len(np.intersect1d(answer, truth))
            hits[subject] += found
            contest.note(
                measure, subject, query=number, wall_ms=wall * 1e3, cpu_ms=cpu * 1e3, recall=found / len(truth)
            )
    return {subject: count / contest.truth.size for subject, count in hits.items()}


def equal_recall(contest: Contest, other: PlainIndex, recall: float) -> str:
    """Widen the search of the plain package until it finds as much, and return the name of that setting."""
    for width in WIDTHS:
        other.expansion_search = width
        found = [
            len(np.intersect1d(plain(other)(row[None]), truth))
            for row, truth in zip(contest.data.queries, contest.truth, strict=True)
        ]
        if sum(found) / contest.truth.size >= recall:
            break
    return f"usearch ef {other.expansion_search}"


def throughput(contest: Contest, subject: str, search: Search, threads: int, seconds: float = 3.0) -> None:
    """Note how many queries `threads` threads get answered in a second."""
    counts, end = [0] * threads, time.perf_counter() + seconds

    def ask(thread: int) -> None:
        while time.perf_counter() < end:
            number = counts[thread] % len(contest.data.queries)
            search(contest.data.queries[number : number + 1])
            counts[thread] += 1

    workers = [threading.Thread(target=ask, args=(thread,)) for thread in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    contest.note("throughput", subject, threads=threads, qps=sum(counts) / seconds)


def filters() -> Iterator[tuple[str, float, Filter]]:
    """Yield filters of every share of the rows: of whole clusters, and of the same share of each cluster."""
    order = np.random.default_rng(SEED).permutation(CLUSTERS)
    sizes = (1 / np.arange(1, CLUSTERS + 1))[order]
    covered = np.cumsum(sizes / sizes.sum())
    for share in SHARES:
        chosen = order[: np.searchsorted(covered, share) + 1]
        artists = (chosen[:, None] * ARTISTS_PER_CLUSTER + np.arange(ARTISTS_PER_CLUSTER)).ravel()
        yield "clusters", share, Filter(tuple(artists.tolist()))
    for parts in (1, 3, 5, 9):
        artists = (np.arange(CLUSTERS)[:, None] * ARTISTS_PER_CLUSTER + np.arange(parts)).ravel()
        yield "scattered", parts / ARTISTS_PER_CLUSTER, Filter(tuple(artists.tolist()))


def filtered(contest: Contest, index: VectorIndex) -> None:
    """Ask a fifth of the queries through each filter."""
    for kind, share, where in filters():
        rows = np.flatnonzero(np.isin(contest.data.artists, where.artists))
        queries = contest.data.queries[::5]
        truth = rows[nearest(contest.data.rows[rows], queries, min(K, len(rows)))]
        part = Contest(Embeddings(contest.data.rows, contest.data.artists, queries), truth, contest.rows)
        compared(part, {f"{kind} {share}": ours(index, where)}, "filter")


def reopened(contest: Contest, folder: Path) -> None:
    """Open the folder in a process of its own; note the time to the first answer and the memory it takes."""
    with tempfile.NamedTemporaryFile(suffix=".npy") as file:
        np.save(file, contest.data.queries)
        file.flush()
        command = [sys.executable, "-c", PROBE, f"usearch:{folder}", file.name]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    contest.note("reopen", "arthur", **json.loads(done.stdout))


def summary(rows: list[Row]) -> None:
    """Print what the rows say."""
    frame = pl.DataFrame(rows, infer_schema_length=None)
    asked = frame.filter(pl.col("measure").is_in(["query", "filter"])).group_by(
        "measure", "subject", maintain_order=True
    )
    figures = [pl.col("recall").mean()]
    for column in ("wall_ms", "cpu_ms"):
        figures += [pl.col(column).quantile(q).alias(f"{column} p{int(q * 100)}") for q in (0.5, 0.99)]
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=160, tbl_hide_dataframe_shape=True):
        print(asked.agg(figures))
        for measure in ("build", "throughput", "reopen", "stats"):
            part = frame.filter(pl.col("measure") == measure)
            print(part.select(column.name for column in part if column.null_count() < len(part)))


def main() -> None:
    """Run the contest of the chosen size."""
    parser = argparse.ArgumentParser(description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", dest="n", action="store_const", const=50_000)
    size.add_argument("--million", dest="n", action="store_const", const=1_000_000)
    n = parser.parse_args().n or 200_000
    columns = context(SEED, packages=("usearch", "numpy"))
    data = embeddings(n, QUERIES, seed=SEED)
    contest = Contest(data, nearest(data.rows, data.queries, K))
    with tempfile.TemporaryDirectory() as folder:
        index, other = built(contest, Path(folder))
        compared(contest, {"warming up": ours(index), "warming up plain": plain(other)}, "warm-up")
        recall = compared(contest, {"arthur": ours(index)}, "warm-up")["arthur"]
        name = equal_recall(contest, other, recall)
        compared(contest, {"arthur": ours(index), name: plain(other)})
        for threads in (1, 2):
            throughput(contest, "arthur", ours(index), threads)
            throughput(contest, name, plain(other), threads)
        filtered(contest, index)
        contest.note("stats", "arthur", **index.stats())
        contest.note("stats", name, memory_bytes=other.memory_usage, file_bytes=other.serialized_length)
        index.close()
        reopened(contest, Path(folder))
    print(write(f"index-{n}", contest.rows, columns))
    summary(contest.rows)


if __name__ == "__main__":
    main()
