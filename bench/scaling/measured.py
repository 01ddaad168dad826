"""The curves and stage costs, read from the committed rows of the benches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bench.record import RESULTS
from bench.scaling.fits import Curve, line, power_law

INDEX_ROWS = (50_000, 200_000, 1_000_000)
QDRANT_ROWS = 60_000
BEFORE = ("cache", "decode", "encode")
PLACED_ELSEWHERE = ("search", "vote", "features")
ANSWERING = ("follow", "catalog", "decision")

Milliseconds = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Stages:
    """Processor milliseconds of each photo's recognition, (photos,) float64 each, one engine thread.

    Attributes:
        before: from the bytes to the vector.
        encode: of that, the engine's part.
        features: describing the photo by local features; 0 where its scores alone decided.
        vote: of the local index of a small catalogue; 0 where it was not asked.
        after: verifying, looking up, deciding.
        answer: of that, what remains without local features.
    """

    before: Milliseconds
    encode: Milliseconds
    features: Milliseconds
    vote: Milliseconds
    after: Milliseconds
    answer: Milliseconds


@dataclass(frozen=True, slots=True)
class Measured:
    """All that the plan rests on; `curves` by what they are of, each against the number of views or works.

    Attributes:
        stages: of distorted drawings, as `bench.stages` measured them.
        real: of the accuracy benchmark's photos of a museum, whose totals alone are known: what is beyond the vector is
            counted as `after`, and each asks the local index, which is more than happens.
        search_spread, vote_spread: single queries' processor time by its median, at the largest catalogue measured.
        qdrant_ratio: Qdrant's processor time a query (int8) by Arthur's beside it, one size.
        qdrant_client_ms: what a query over the wire takes the one that asks.
        qdrant_disk: bytes on disk a view.
        qdrant_fill_ms: processor time a view of putting it and building the graph.
        enrol_ms: processor time of enrolling a picture.
        photo_bytes: of the photo of a request.
        shard_ms: what each further shard of the local index adds to a query.
    """

    curves: dict[str, Curve]
    stages: Stages
    real: Stages
    search_spread: Milliseconds
    vote_spread: Milliseconds
    qdrant_ratio: float
    qdrant_client_ms: float
    qdrant_disk: float
    qdrant_fill_ms: float
    enrol_ms: float
    photo_bytes: float
    shard_ms: float


def read_measured(folder: Path = RESULTS) -> Measured:
    """Read the rows in a folder of results."""
    index = {rows: pl.read_parquet(folder / f"index-{rows}.parquet") for rows in INDEX_ROWS}
    local = pl.read_parquet(folder / "local.parquet")
    qdrant = pl.read_parquet(folder / f"qdrant-{QDRANT_ROWS}.parquet")
    stages = _stages(pl.read_parquet(folder / "stages.parquet"))
    asked = index[INDEX_ROWS[-1]].filter(measure="query", subject="arthur")["cpu_ms"].to_numpy()
    voted = local.filter(measure="query", n=local["n"].max())["cpu_ms"].to_numpy()
    beside = _median(qdrant.filter(measure="query", subject="arthur beside int8"), "cpu_ms")
    put = [
        _median(qdrant.filter(measure="build", subject=f"qdrant int8, {part}"), "cpu_s") for part in ("put", "graph")
    ]
    return Measured(
        curves=_index_curves(index, qdrant) | _local_curves(local) | _catalog_curves(folder),
        stages=stages,
        real=_real(pl.read_parquet(folder / "accuracy-museum-standard.parquet"), stages),
        search_spread=asked / np.median(asked),
        vote_spread=voted / np.median(voted),
        qdrant_ratio=_median(qdrant.filter(measure="query", subject="qdrant int8"), "cpu_ms") / beside,
        qdrant_client_ms=_median(qdrant.filter(measure="query", subject="qdrant int8, wire"), "cpu_ms"),
        qdrant_disk=_median(qdrant.filter(measure="stats", subject="qdrant int8"), "bytes") / QDRANT_ROWS,
        qdrant_fill_ms=1000 * sum(put) / QDRANT_ROWS,
        enrol_ms=_median(pl.concat(_accuracy(folder)), "enrol_cpu_ms"),
        photo_bytes=_median(pl.read_parquet(folder / "serve.parquet").filter(stage="match_200kb"), "bytes"),
        shard_ms=_shard_ms(pl.read_parquet(folder / "local_fleet.parquet")),
    )


def _index_curves(index: dict[int, pl.DataFrame], qdrant: pl.DataFrame) -> dict[str, Curve]:
    def points(measure: str, column: str) -> list[tuple[float, float]]:
        return [
            (rows, _median(frame.filter(measure=measure, subject="arthur"), column)) for rows, frame in index.items()
        ]

    busy = [
        (float(QDRANT_ROWS), _median(qdrant.filter(measure="query", subject=f"arthur beside {other}"), "cpu_ms"))
        for other in ("int8", "none")
    ]
    return {
        "vector search, CPU ms a query": power_law(points("query", "cpu_ms") + busy),
        "vector index, bytes of files": line(points("stats", "file_bytes")),
        "vector index, bytes beside mapped files": line(points("reopen", "RssAnon")),
        "vector index, CPU s to build": power_law(points("build", "cpu_s")),
        "vector index, s to open and answer": line(points("reopen", "first_answer_s")),
    }


def _local_curves(local: pl.DataFrame) -> dict[str, Curve]:
    def curve(measure: str, column: str) -> Curve:
        frame = local.filter(measure=measure)
        return line([(rows, _median(frame.filter(n=rows), column)) for rows in sorted(set(local["n"]))])

    return {
        "local index, CPU ms a query": curve("query", "cpu_ms"),
        "local index, bytes of files": curve("stats", "file_bytes"),
        "local index, CPU s to build": curve("build", "cpu_s"),
        "local index, s to open": curve("reopen", "opened_s"),
    }


def _catalog_curves(folder: Path) -> dict[str, Curve]:
    weighed = pl.read_parquet(folder / "catalog-size.parquet")
    whole = [
        (float(rows), rows * _median(frame, "bytes_a_work"))
        for frame in _accuracy(folder)
        for rows in frame["size"].unique().sort()
    ]
    return {
        "catalogue without local features, bytes": line(list(zip(weighed["items"], weighed["bytes"], strict=True))),
        "catalogue with local features and indices, bytes": line(whole),
    }


def _accuracy(folder: Path) -> Iterator[pl.DataFrame]:
    for path in sorted(folder.glob("accuracy-*.parquet")):
        frame = pl.read_parquet(path, columns=["size", "system", "bytes_a_work", "enrol_cpu_ms"])
        yield frame.filter(pl.col("system") == "arthur-calibrated")


def _shard_ms(fleet: pl.DataFrame) -> float:
    one, four = (_median(fleet.filter(subject=f"inverted / {shards}"), "cpu_ms") for shards in (1, 4))
    return (four - one) / 3


def _stages(rows: pl.DataFrame) -> Stages:
    wide = rows.pivot("stage", index="photo", values="cpu_ms").fill_null(0).sort("photo")
    before = wide.select(pl.sum_horizontal(BEFORE)).to_series()
    elsewhere = wide.select(pl.sum_horizontal(PLACED_ELSEWHERE)).to_series()
    after = (wide["total"] - before - elsewhere).clip(0)
    answer = wide.select(pl.sum_horizontal(ANSWERING)).to_series()
    parts = (before, wide["encode"], wide["features"], wide["vote"], after, answer)
    return Stages(*(part.to_numpy() for part in parts))


def _real(rows: pl.DataFrame, drawn: Stages) -> Stages:
    total = rows.filter(system="arthur-calibrated")["cpu_ms"].to_numpy()
    before, encode, answer = (
        np.full(len(total), np.median(part)) for part in (drawn.before, drawn.encode, drawn.answer)
    )
    vote = np.full(len(total), np.median(drawn.vote[drawn.vote > 0]))
    return Stages(before, encode, np.zeros(len(total)), vote, np.maximum(total - before - vote, answer), answer)


def _median(frame: pl.DataFrame, column: str) -> float:
    """Return the median of a column; a result that lacks it is a fault, not a zero."""
    value = frame[column].drop_nulls().median()
    if not isinstance(value, float | int):
        raise ValueError(f"the results have no {column}")  # noqa: TRY004  # what is wrong is a file
    return float(value)
