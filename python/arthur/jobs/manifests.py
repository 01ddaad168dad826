"""Manifests as rows of JSON values: CSV and Parquet through polars, JSON lines one by one.

JSON lines are not read by polars, because it gives every row the keys of all others and one bad line ends the file.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from arthur.errors import BadRequest
from arthur.types import JsonValue

if TYPE_CHECKING:
    import polars as pl  # loaded where it is used: every server imports this module, and few import a manifest

_BATCH = 1000
_REQUIRED = ("artist_id", "entry_id")
_LOCATORS = ("path", "url")


@dataclass(frozen=True, slots=True)
class Row:
    """A row by column name. `fault` says why it could not be read; it has no cells then."""

    place: str
    cells: Mapping[str, JsonValue] = field(default_factory=dict)
    fault: str = ""


def open_manifest(path: Path) -> Iterator[Row]:
    """Open a manifest by its suffix: .csv, .parquet, .jsonl or .ndjson. Its rows are read while they are asked for.

    Raises:
        BadRequest: the suffix is another, a column is missing, or the file is not of its form.
    """
    readers: dict[str, Callable[[Path], Iterator[Row]]] = {
        ".csv": _open_csv,
        ".parquet": _open_parquet,
        ".jsonl": _line_rows,
        ".ndjson": _line_rows,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise BadRequest(f"{path.name}: a manifest ends in {', '.join(readers)}")
    try:
        with path.open("rb"):
            return reader(path)
    except OSError as error:
        raise BadRequest(f"{path.name} cannot be read: {error.strerror}") from error


def _open_csv(path: Path) -> Iterator[Row]:
    import polars as pl

    # Row 1 is the header, as a spreadsheet counts.
    return _open_frame(path, pl.scan_csv(path, infer_schema=False), first=2)


def _open_parquet(path: Path) -> Iterator[Row]:
    import polars as pl

    return _open_frame(path, pl.scan_parquet(path), first=1)


def _open_frame(path: Path, frame: pl.LazyFrame, *, first: int) -> Iterator[Row]:
    """Check the columns and every row's form, and give the rows by batches."""
    import polars as pl

    try:
        _check_columns(path, frame.collect_schema().names())
        frame.select(pl.len()).collect()
    except pl.exceptions.PolarsError as error:
        raise BadRequest(f"{path.name}{_culprit(path)}: {_line(error)}") from error
    return _frame_rows(path, frame, first)


def _frame_rows(path: Path, frame: pl.LazyFrame, first: int) -> Iterator[Row]:
    import polars as pl

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


def _line_rows(path: Path) -> Iterator[Row]:
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                yield _line_row(f"row {number}", line)


def open_urls(path: Path) -> Iterator[Row]:
    """Read a list of URLs, one in each line; an entry is called as its URL without the scheme.

    Raises:
        BadRequest: the file cannot be read.
    """
    try:
        with path.open("rb"):
            return _url_rows(path)
    except OSError as error:
        raise BadRequest(f"{path.name} cannot be read: {error.strerror}") from error


def _url_rows(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8", errors="replace") as stream:
        for number, line in enumerate(stream, start=1):
            if url := line.strip():
                yield Row(f"row {number}", {"entry_id": url.partition("://")[2] or url, "url": url})


def _line_row(place: str, line: bytes) -> Row:
    try:
        cells = orjson.loads(line)
    except ValueError as error:
        return Row(place, fault=f"it is not JSON: {error}")
    if not isinstance(cells, dict):
        return Row(place, fault="it is not a JSON object")
    return Row(place, cells)
