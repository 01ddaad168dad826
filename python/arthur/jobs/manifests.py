"""Manifests as rows of JSON values: CSV and Parquet through polars, JSON lines one by one.

JSON lines are not read by polars, because it gives every row the keys of all others and one bad line ends the file.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import polars as pl

from arthur.errors import BadRequest
from arthur.types import JsonValue

_BATCH = 1000
_REQUIRED = ("artist_id", "entry_id")
_LOCATORS = ("path", "url")


@dataclass(frozen=True, slots=True)
class Row:
    """A row by column name. `fault` says why it could not be read; it has no cells then."""

    place: str
    cells: Mapping[str, JsonValue] = field(default_factory=dict)
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Rows, read while they are asked for, and how many there are."""

    total: int
    rows: Iterable[Row]


def open_manifest(path: Path) -> Manifest:
    """Open a manifest by its suffix: .csv, .parquet, .jsonl or .ndjson.

    Raises:
        BadRequest: the suffix is another, a column is missing, or the file is not of its form.
    """
    readers: dict[str, Callable[[Path], Manifest]] = {
        ".csv": _open_csv,
        ".parquet": _open_parquet,
        ".jsonl": _open_lines,
        ".ndjson": _open_lines,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise BadRequest(f"{path.name}: a manifest ends in {', '.join(readers)}")
    try:
        return reader(path)
    except OSError as error:
        raise BadRequest(f"{path.name} cannot be read: {error.strerror}") from error


def _open_csv(path: Path) -> Manifest:
    # Row 1 is the header, as a spreadsheet counts.
    return _open_frame(path, pl.scan_csv(path, infer_schema=False), first=2)


def _open_parquet(path: Path) -> Manifest:
    return _open_frame(path, pl.scan_parquet(path), first=1)


def _open_frame(path: Path, frame: pl.LazyFrame, *, first: int) -> Manifest:
    """Check the columns and every row's form, and give the rows by batches."""
    try:
        _check_columns(path, frame.collect_schema().names())
        total = int(frame.select(pl.len()).collect().item())
    except pl.exceptions.PolarsError as error:
        raise BadRequest(f"{path.name}{_culprit(path)}: {_line(error)}") from error
    return Manifest(total, _frame_rows(path, frame, first))


def _frame_rows(path: Path, frame: pl.LazyFrame, first: int) -> Iterator[Row]:
    number = first
    try:
        for batch in frame.collect_batches(chunk_size=_BATCH, maintain_order=True):
            for cells in batch.iter_rows(named=True):
                yield Row(f"row {number}", {name: _json(value) for name, value in cells.items()})
                number += 1
    except pl.exceptions.PolarsError as error:
        raise BadRequest(f"{path.name}{_culprit(path)}: {_line(error)}") from error


def _check_columns(path: Path, names: list[str]) -> None:
    for column in _REQUIRED:
        if column not in names:
            raise BadRequest(f"{path.name}: column {column!r} is missing; there are {', '.join(names)}")
    if not any(column in names for column in _LOCATORS):
        raise BadRequest(f"{path.name}: a column 'path' or 'url' is missing; there are {', '.join(names)}")


def _culprit(path: Path) -> str:
    """Return ", row N" for the first row of a CSV that has another number of cells or is not UTF-8."""
    if path.suffix.lower() != ".csv":
        return ""
    columns = 0
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as stream:
        for number, cells in enumerate(csv.reader(stream), start=1):
            columns = columns or len(cells)
            if len(cells) > columns or any("\udc80" <= letter <= "\udcff" for cell in cells for letter in cell):
                return f", row {number}"
    return ""


def _line(error: Exception) -> str:
    """Return the first line of a message that may have many."""
    return str(error).strip().partition("\n")[0]


def _json(value: object) -> JsonValue:
    """Return a cell as JSON can hold it; dates and the like become text, NaN nothing."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, list):
        return [_json(one) for one in value]
    if isinstance(value, dict):
        return {str(name): _json(one) for name, one in value.items()}
    return str(value)


def _open_lines(path: Path) -> Manifest:
    with path.open("rb") as stream:
        total = sum(1 for line in stream if line.strip())
    return Manifest(total, _line_rows(path))


def _line_rows(path: Path) -> Iterator[Row]:
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                yield _line_row(f"row {number}", line)


def _line_row(place: str, line: bytes) -> Row:
    try:
        cells = orjson.loads(line)
    except ValueError as error:
        return Row(place, fault=f"it is not JSON: {error}")
    if not isinstance(cells, dict):
        return Row(place, fault="it is not a JSON object")
    return Row(place, cells)
