"""Tables as files to be downloaded."""

from __future__ import annotations

import io
from typing import Literal, TypeAlias

import polars as pl

__all__ = ["FileFormat", "written"]

FileFormat: TypeAlias = Literal["csv", "parquet"]


def written(table: pl.DataFrame, form: FileFormat) -> bytes:
    """Return a table as CSV (UTF-8, a header, RFC 4180) or as Parquet."""
    if form == "csv":
        return table.write_csv().encode()
    file = io.BytesIO()
    table.write_parquet(file)
    return file.getvalue()
