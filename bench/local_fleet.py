"""The local index on several machines, two ways beside one machine: shards of our own, or sparse vectors in Qdrant.

    python -m bench.local_fleet PICTURES [--works 20000] [--side 320]

PICTURES is what `bench.local_accuracy` reads: every known photo is asked, its works lie among synthetic ones. Rows go
to `results/local_fleet.parquet`. `inverted / N` are N indices of ours, works spread by their artist, asked one after
another and merged by score; `cpu_ms` is the work of all of them, `slowest_ms` that of the busiest, for which a fleet
would wait. `words` and `bands` are sparse vectors in Qdrant's engine: visual words, and words together with six bits of
the signature, four times. Those only propose; `judged` puts the best 512 of them into an index of ours and asks that,
as a second step in each process would have to.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import qdrant_edge as edge
from numpy.typing import NDArray

from arthur.decode import ImageDecoder
from arthur.local import LocalIndex, open_local
from arthur.local.packed import unpack
from arthur.types import LocalQuery
from arthur.verify import Gray, open_verifier
from bench.features import works
from bench.local_accuracy import ENROLLED_SIDE, FOLDERS
from bench.record import context, write

SEED = 20
SHARDS = (1, 2, 4, 8)
ARTISTS = 1000
PROPOSED = 512
BATCH = 256
BANDS, BITS = 4, 6

Row = dict[str, object]
Dims = Callable[[NDArray[np.uint16], NDArray[np.uint64]], NDArray[np.uint32]]
Proposal = tuple[list[int], float, float]


def words_only(words: NDArray[np.uint16], signatures: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """Return a dimension for each word."""
    return words.ravel().astype(np.uint32)


def words_and_bands(words: NDArray[np.uint16], signatures: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """Return a dimension for each word with each band of its signature."""
    shifts = np.arange(BANDS, dtype=np.uint64) * np.uint64(BITS)
    bits = (signatures.ravel()[:, None] >> shifts & np.uint64(2**BITS - 1)).astype(np.uint32)
    place = words.ravel().astype(np.uint32)[:, None] * BANDS + np.arange(BANDS, dtype=np.uint32)
    return (place << np.uint32(BITS) | bits).ravel()


def sparse(dims: NDArray[np.uint32]) -> edge.SparseVector:
    """Return how often each dimension comes, damped; Qdrant adds how rare it is."""
    indices, counts = np.unique(dims, return_counts=True)
    return edge.SparseVector(indices.tolist(), np.sqrt(counts).tolist())


class Sharded:
    """Works spread over local indices of ours by a hash of their artist."""

    def __init__(self, folder: Path, shards: int, packed: list[bytes]) -> None:
        keys = np.arange(len(packed))
        artists = keys % ARTISTS
        self.indices: list[LocalIndex] = []
        for shard in range(shards):
            index = open_local(f"inverted:{folder / str(shard)}", fingerprint="bench")
            mine = keys[artists * 2654435761 % 2**32 * shards >> 32 == shard]
            index.put(mine, [packed[key] for key in mine], artists[mine])
            index.checkpoint()
            self.indices.append(index)

    def __call__(self, query: LocalQuery) -> Proposal:
        """Return the best 10, the CPU seconds of all and those of the busiest."""
        spent, found = [], []
        for index in self.indices:
            begin = time.thread_time()
            answer = index.search(query, 10)
            spent.append(time.thread_time() - begin)
            found += zip(answer.scores[0].tolist(), answer.keys[0].tolist(), strict=True)
        best = [key for _, key in sorted(found, reverse=True)[:10] if key >= 0]
        return best, sum(spent), max(spent)

    def close(self) -> None:
        """Close them."""
        for index in self.indices:
            index.close()


class Sparse:
    """Works as sparse vectors in Qdrant's engine."""

    def __init__(self, folder: Path, dims: Dims, packed: list[bytes]) -> None:
        folder.mkdir()
        config = edge.EdgeConfig(
            sparse_vectors={"local": edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf, on_disk=True)},
            optimizers=edge.EdgeOptimizersConfig(indexing_threshold=100, default_segment_number=1),
            max_search_threads=1,
        )
        self.shard, self.dims = edge.EdgeShard.create(str(folder), config), dims
        for at in range(0, len(packed), BATCH):
            points = []
            for key, one in enumerate(packed[at : at + BATCH], start=at):
                known = unpack(one)
                points.append(edge.Point(key, {"local": sparse(dims(known.words, known.signatures))}, {}))
            self.shard.update(edge.UpdateOperation.upsert_points(points))
        self.shard.optimize()
        self.shard.flush()

    def __call__(self, query: LocalQuery) -> Proposal:
        """Return the best 512 and the CPU seconds."""
        asked = edge.Query.Nearest(sparse(self.dims(query.words, query.signatures)), using="local")
        begin = time.process_time()
        found = self.shard.query(edge.QueryRequest(PROPOSED, query=asked))
        spent = time.process_time() - begin
        return [point.id for point in found], spent, spent

    def close(self) -> None:
        """Close it."""
        self.shard.close()


def judged(propose: Sparse, packed: list[bytes], folder: Path) -> Callable[[LocalQuery], Proposal]:
    """Return a search that compares what was proposed by signatures and geometry, in an index of its own."""

    def ask(query: LocalQuery) -> Proposal:
        keys, spent, _ = propose(query)
        begin = time.process_time()
        with tempfile.TemporaryDirectory(dir=folder) as place:
            index = open_local(f"inverted:{place}", fingerprint="bench")
            index.put(np.array(keys), [packed[key] for key in keys], np.zeros(len(keys), np.int64))
            answer = index.search(query, 10)
            index.close()
        spent += time.process_time() - begin
        return [key for key in answer.keys[0].tolist() if key >= 0], spent, spent

    return ask


@dataclass(frozen=True, slots=True)
class Photo:
    """What is asked, and the works that would be right."""

    kind: str
    query: LocalQuery
    right: frozenset[int]


def real(folder: Path, side: int) -> tuple[list[bytes], list[Photo]]:
    """Return the packed features of all catalogue pictures, and the photos of known works."""
    decoder, verifier = ImageDecoder(), open_verifier("sift:")

    def gray(path: Path, longest: int) -> Gray:
        preview = decoder(path.read_bytes(), 32, preview_side=longest, preview_gray=True).preview
        if preview is None:
            raise SystemExit(f"{path} has no preview")
        return preview

    paths = [path for name in FOLDERS for path in sorted((folder / name).glob("*.jpg"))]
    places = {(path.relative_to(folder).parts[0], path.stem): number for number, path in enumerate(paths)}
    shown = []
    with (folder / "photos.csv").open() as lines:
        for line in csv.DictReader(lines):
            if line["entries"] != "none":
                right = frozenset(places[line["catalog"], name] for name in line["entries"].split(";"))
                look = verifier.look(gray(folder / line["photo"], side))
                shown.append(Photo(line["catalog"], look.query, right))
    return [verifier.describe(gray(path, ENROLLED_SIDE)) for path in paths], shown


def asked(ask: Callable[[LocalQuery], Proposal], shown: list[Photo]) -> Iterator[Row]:
    """Ask every photo; yield its cost and where a right work came."""
    for number, photo in enumerate(shown):
        keys, spent, slowest = ask(photo.query)
        place = next((place for place, key in enumerate(keys) if key in photo.right), -1)
        costs = {"cpu_ms": spent * 1e3, "slowest_ms": slowest * 1e3}
        yield {"kind": photo.kind, "query": number, "place": place, **costs}


def size(folder: Path) -> int:
    """Return the bytes that a folder takes on the disk."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def measured(packed: list[bytes], shown: list[Photo]) -> list[Row]:
    """Return all observations."""
    rows: list[Row] = []

    def note(subject: str, ask: Callable[[LocalQuery], Proposal], folder: Path) -> None:
        ask(shown[0].query)
        facts = {"n": len(packed), "subject": subject, "bytes_per_work": size(folder) / len(packed)}
        rows.extend({**facts, **row} for row in asked(ask, shown))

    for shards in SHARDS:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            index = Sharded(folder, shards, packed)
            note(f"inverted / {shards}", index, folder)
            index.close()
    for name, dims in (("words", words_only), ("bands", words_and_bands)):
        with tempfile.TemporaryDirectory() as place, tempfile.TemporaryDirectory() as beside:
            folder = Path(place) / "shard"
            proposing = Sparse(folder, dims, packed)
            note(f"qdrant {name}", proposing, folder)
            note(f"qdrant {name}, judged", judged(proposing, packed, Path(beside)), folder)
            proposing.close()
    return rows


def summary(rows: list[Row]) -> None:
    """Print what the rows say."""
    place = pl.col("place")
    figures = [
        (place == 0).mean().alias("first"),
        ((place >= 0) & (place < 10)).mean().alias("in 10"),
        (place >= 0).mean().alias("in all"),
        *(pl.col(column).median().round(2).alias(f"{column} p50") for column in ("cpu_ms", "slowest_ms")),
        pl.col("bytes_per_work").first().round(0),
    ]
    frame = pl.DataFrame(rows, infer_schema_length=None)
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=160, tbl_hide_dataframe_shape=True):
        print(frame.group_by("subject", "kind", maintain_order=True).agg(figures))


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--works", type=int, default=20_000, help="works in all")
    parser.add_argument("--side", type=int, default=320, help="longest side of the photos, pixels")
    options = parser.parse_args()
    packed, shown = real(options.pictures, options.side)
    packed += [row.tobytes() for row in works(SEED).block(0, options.works - len(packed))]
    rows = measured(packed, shown)
    print(write("local_fleet", rows, context(SEED, packages=("qdrant-edge-py", "numpy"))))
    summary(rows)


if __name__ == "__main__":
    main()
