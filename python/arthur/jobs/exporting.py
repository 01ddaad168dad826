"""Writes the catalogue, metadata and vectors, into one Parquet file, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import polars as pl
from polars.io.plugins import register_io_source

from arthur.catalog import Catalog
from arthur.encode import EngineSpec
from arthur.errors import StoreError
from arthur.recognition.follower import Progress
from arthur.types import Changes

_PAGE = 4096
_COLUMNS: dict[str, pl.DataType] = {
    "artist_id": pl.String(),
    "entry_id": pl.String(),
    "view_id": pl.String(),
    "vector_id": pl.String(),
    "key": pl.Int64(),
    "content_hash": pl.String(),
    "source": pl.String(),
    "format": pl.String(),
    "width": pl.Int64(),
    "height": pl.Int64(),
    "size_bytes": pl.Int64(),
    "metadata": pl.String(),
    "created_at": pl.Datetime("us", "UTC"),
    "updated_at": pl.Datetime("us", "UTC"),
}
_STORED = ("vector_id", "key", "content_hash", "source", "format", "width", "height", "size_bytes")


def export_catalogue(catalog: Catalog, spec: EngineSpec, path: Path, progress: Callable[[Progress], None]) -> int:
    """Write one row per live view with a vector of this engine, and return how many there are.

    `metadata` is JSON text, `vector` float32 of the engine's length. Memory stays bounded by the page. The file appears
    whole or not at all. A view that is replaced meanwhile may appear with its old and its new `key`.

    Raises:
        StoreError: the catalog did not answer, or the file could not be written.
    """
    rows = 0

    def counted(*_: object) -> Iterator[pl.DataFrame]:
        nonlocal rows
        for frame in _frames(catalog, spec, progress):
            rows += frame.height
            yield frame

    part = path.with_name(path.name + ".part")
    try:
        frame = register_io_source(counted, schema=_schema(spec.dim))
        frame.sink_parquet(part, mkdir=True)
        part.replace(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise StoreError(f"{path} could not be written: {str(error).partition(chr(10))[0]}") from error
    finally:
        part.unlink(missing_ok=True)
    return rows


def _schema(dim: int) -> dict[str, pl.DataType]:
    return {**_COLUMNS, "vector": pl.Array(pl.Float32, dim)}


def _frames(catalog: Catalog, spec: EngineSpec, progress: Callable[[Progress], None]) -> Iterator[pl.DataFrame]:
    """Give the live views page by page."""
    since, more, total = 0, True, catalog.latest()
    while more:
        changes = catalog.changes(since, _PAGE, spec.fingerprint)
        since, more = changes.upto, changes.more
        if len(changes.keys):
            yield _frame(catalog, changes, spec.dim)
        progress(Progress("export", since, max(total, since)))


def _frame(catalog: Catalog, changes: Changes, dim: int) -> pl.DataFrame:
    views = catalog.views(changes.keys)
    live = [
        (views[key], vector) for key, vector in zip(changes.keys.tolist(), changes.vectors, strict=True) if key in views
    ]
    columns: dict[str, list[object]] = {name: [getattr(stored, name) for stored, _ in live] for name in _STORED}
    for name in ("artist_id", "entry_id", "view_id"):
        columns[name] = [getattr(stored.view, name) for stored, _ in live]
    columns["metadata"] = [orjson.dumps(dict(stored.metadata)).decode() for stored, _ in live]
    columns["created_at"] = [stored.created_at for stored, _ in live]
    columns["updated_at"] = [stored.updated_at for stored, _ in live]
    columns["vector"] = [vector for _, vector in live]
    return pl.DataFrame(columns, schema_overrides=_schema(dim)).select(list(_schema(dim)))
