"""Qdrant's engine (qdrant-edge) beside Arthur's own index: recall, cost of a query, filters, build, size.

Run with `python -m bench.qdrant [--works 50000]`; the rows go to `results/qdrant-N.parquet`. Vectors are put through
Arthur's adapter, the client and the wire, into the stand-in of a server that the tests use; then the engine is asked in
this process, so that `cpu_ms` is the engine's own, and over the wire, whose `wall_ms` has the parts of the client and
of a server written in Python in it. Neither says what a server of Qdrant's would take.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import qdrant_edge as edge

from arthur.errors import StoreError
from arthur.index import VectorIndex, open_index
from arthur.index.qdrant_url import Layout
from arthur.types import Filter, Keys, Vectors
from bench.embeddings import DIM, embeddings, nearest
from bench.index import QUERIES, SEED, Contest, Embeddings, K, Search, compared, filters, ours, summary, timed
from bench.local_fleet import size
from bench.record import context, write
from tests.private_servers import free_port

SERVER = Path(__file__).parents[1] / "tests" / "qdrant_server.py"
SHARES = ("clusters 0.001", "clusters 0.05", "clusters 0.3", "scattered 0.1", "scattered 0.5")


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Run the stand-in of a server; give its URL."""
    port = free_port()
    process = subprocess.Popen([sys.executable, str(SERVER), str(folder), str(port)], cwd=SERVER.parents[1])
    try:
        yield f"qdrant://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def opened(url: str) -> VectorIndex:
    """Open the index as soon as its server answers."""
    index = open_index(url, dim=DIM, fingerprint="bench")
    while True:
        try:
            len(index)
        except StoreError:
            time.sleep(0.1)
        else:
            return index


def filled(contest: Contest, url: str, subject: str) -> None:
    """Put everything and note how long it took; the stand-in would take no writes while it makes a graph."""
    index, data = opened(f"{url}&graph_from_kb=900000000&write_timeout_s=600"), contest.data
    with timed(contest, "build", f"{subject}, put"):
        index.put(np.arange(len(data.rows)), data.rows, data.artists)
    index.close()


def engine(shard: edge.EdgeShard, where: Filter | None = None) -> Search:
    """Return a search of the engine in this process, with what Arthur's adapter asks of it."""
    chosen = None
    if where is not None:
        chosen = edge.Filter(must=[edge.FieldCondition("artist", match=edge.MatchAny(list(where.artists)))])
    again = edge.QuantizationSearchParams(rescore=True, oversampling=2.0)
    params = edge.SearchParams(hnsw_ef=256, quantization=again)

    def ask(query: Vectors) -> Keys:
        nearest = edge.Query.Nearest(query[0].tolist(), using="view")
        found = shard.query(edge.QueryRequest(K, query=nearest, filter=chosen, params=params))
        return np.array([point.id for point in found], np.int64)

    return ask


def measured(contest: Contest, index: VectorIndex, folder: Path, option: str) -> None:
    """Fill the engine and ask it, over the wire and in this process, in turn with Arthur's index."""
    subject, layout = f"qdrant {option}", f"?quantization={option}"
    with server(folder) as url:
        filled(contest, url + layout, subject)
    ((place),) = folder.glob("*/shard")
    usual = edge.EdgeOptimizersConfig(indexing_threshold=Layout().graph_from_kb, default_segment_number=1)
    vector = edge.EdgeVectorParams(DIM, edge.Distance.Cosine, on_disk=True, datatype=edge.VectorStorageDatatype.Float16)
    shard = edge.EdgeShard.load(str(place), edge.EdgeConfig({"view": vector}, optimizers=usual))
    with timed(contest, "build", f"{subject}, graph"):
        shard.optimize()
    shard.flush()
    told = shard.info()
    contest.note("stats", subject, bytes=size(place), in_graphs=told.indexed_vectors_count)
    compared(contest, {"": engine(shard)}, "warm-up")
    compared(contest, {subject: engine(shard), f"arthur beside {option}": ours(index)})
    for kind, share, where in filters():
        if f"{kind} {share}" in SHARES:
            filtered(contest, f"{kind} {share}", where, {subject: engine(shard, where), "arthur": ours(index, where)})
    shard.close()
    with server(folder) as url:
        remote = opened(url + layout)
        compared(contest, {f"{subject}, wire": ours(remote)})
        remote.close()


def filtered(contest: Contest, name: str, where: Filter, subjects: dict[str, Search]) -> None:
    """Ask a tenth of the queries through a filter."""
    rows = np.flatnonzero(np.isin(contest.data.artists, where.artists))
    queries = contest.data.queries[::10]
    truth = rows[nearest(contest.data.rows[rows], queries, min(K, len(rows)))]
    part = Contest(Embeddings(contest.data.rows, contest.data.artists, queries), truth, contest.rows)
    compared(part, {f"{subject}, {name}": search for subject, search in subjects.items()}, "filter")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--works", type=int, default=50_000)
    n = parser.parse_args().works
    data = embeddings(n, QUERIES, seed=SEED)
    contest = Contest(data, nearest(data.rows, data.queries, K))
    with tempfile.TemporaryDirectory() as place:
        index = open_index(f"usearch:{place}/usearch", dim=DIM, fingerprint="bench")
        with timed(contest, "build", "arthur"):
            index.put(np.arange(n), data.rows, data.artists)
            index.advance(n)
            index.checkpoint()
        for option in ("int8", "none"):
            folder = Path(place) / option
            folder.mkdir()
            measured(contest, index, folder, option)
        index.close()
    print(write(f"qdrant-{n}", contest.rows, context(SEED, packages=("qdrant-edge-py", "qdrant-client", "numpy"))))
    summary(contest.rows)


if __name__ == "__main__":
    main()
