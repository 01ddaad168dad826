"""What a replay has shown: counts, agreement and latency, as numbers and as text; and its rows as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from arthur.errors import BadRequest
from arthur.replay.comparing import DIFFERENCES

_QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
_SCHEMA = {
    "place": pl.Int64,
    "method": pl.String,
    "path": pl.String,
    "recognition": pl.Boolean,
    "old_status": pl.Int32,
    "new_status": pl.Int32,
    "old_ms": pl.Float64,
    "new_ms": pl.Float64,
    "difference": pl.String,
    "first_same": pl.Boolean,
    "overlap": pl.Float64,
    "score_gap": pl.Float64,
    "note": pl.String,
}
Summary = dict[str, object]


def table_of(rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    """Return the members of exchanges as a table: place in the recording, statuses, milliseconds and the verdict."""
    return pl.DataFrame(rows, schema=_SCHEMA)


def check_table_path(path: Path) -> None:
    """Raise BadRequest for a file that `write_table` could not write."""
    if path.suffix.lower() not in (".parquet", ".csv", ".jsonl"):
        raise BadRequest(f"{path}: rows are written as .parquet, .csv or .jsonl")
    if not path.parent.is_dir():
        raise BadRequest(f"{path.parent}: no such folder")


def write_table(table: pl.DataFrame, path: Path) -> None:
    """Write the rows in the form that the suffix names."""
    kind = path.suffix.lower()
    if kind == ".parquet":
        table.write_parquet(path)
    elif kind == ".csv":
        table.write_csv(path)
    else:
        table.write_ndjson(path)


def summary_of(table: pl.DataFrame, *, writes_left_out: int, unusable: Mapping[str, int]) -> Summary:
    """Return what the rows say together. Latency is of requests that both servers answered alike in status."""
    counts = dict(table["difference"].value_counts().iter_rows())
    seen = table.filter(pl.col("overlap").is_not_null())
    answered = table.filter(pl.col("old_status") == pl.col("new_status"), pl.col("old_status") > 0)
    return {
        "requests": table.height,
        "writes_left_out": writes_left_out,
        "unusable": dict(unusable),
        "differences": {kind: counts[kind] for kind in DIFFERENCES if kind in counts},
        "recognitions": {
            "compared": seen.height,
            "first_same": seen["first_same"].mean(),
            "overlap": seen["overlap"].mean(),
            "score_gap": _quantiles(seen["score_gap"].drop_nulls()),
        },
        "latency_ms": {
            kind: {"requests": rows.height, **{side: _quantiles(rows[f"{side}_ms"]) for side in ("old", "new")}}
            for kind, rows in (
                ("recognitions", answered.filter("recognition")),
                ("others", answered.filter(~pl.col("recognition"))),
            )
            if rows.height
        },
    }


def text_of(table: pl.DataFrame, summary: Summary, *, examples: int = 10) -> str:
    """Return the report for people, with the first `examples` of what differs."""
    lines = [f"{table.height} requests: " + ", ".join(_counted(table))]
    lines += [f"left out: {count} x {why}" for why, count in _left_out(summary)]
    lines += [*_agreement(table), *_latency(table)]
    differing = table.filter(pl.col("difference") != "same")
    lines += [_line(row) for row in differing.head(examples).iter_rows(named=True)]
    if differing.height > examples:
        lines.append(f"  and {differing.height - examples} others")
    return "\n".join(lines)


def _line(row: Mapping[str, object]) -> str:
    """Return one exchange for people."""
    statuses = f"{row['old_status'] or '-'} -> {row['new_status'] or '-'}"
    asked = f"{row['method']} {row['path']}"
    return f"  {row['place']:>6}  {row['difference']:<10}  {statuses:<11}  {asked}  {row['note']}".rstrip()


def _agreement(table: pl.DataFrame) -> list[str]:
    seen = table.select(pl.col("first_same").cast(pl.Float64), "overlap").drop_nulls()
    if not seen.height:
        return []
    first, common = seen.mean().row(0)
    return [f"recognitions: {seen.height} compared, the same entry first in {first:.1%}, views in common {common:.1%}"]


def _counted(table: pl.DataFrame) -> list[str]:
    counts = dict(table["difference"].value_counts().iter_rows())
    return [f"{counts[kind]} {kind}" for kind in reversed(DIFFERENCES) if kind in counts]


def _left_out(summary: Summary) -> list[tuple[str, object]]:
    unusable = summary["unusable"]
    listed = list(unusable.items()) if isinstance(unusable, dict) else []
    writes = summary["writes_left_out"]
    return [*([("writes (--writes sends them)", writes)] if writes else []), *listed]


def _latency(table: pl.DataFrame) -> list[str]:
    """Return percentiles side by side."""
    answered = table.filter(pl.col("old_status") == pl.col("new_status"), pl.col("old_status") > 0)
    lines = []
    for kind, wanted in (("recognitions", pl.col("recognition")), ("others", ~pl.col("recognition"))):
        rows = answered.filter(wanted)
        if rows.height:
            lines.append(f"{kind + ', ms':<18}" + "".join(f"{name:>10}" for name in _QUANTILES))
            for side in ("old", "new"):
                values = _quantiles(rows[f"{side}_ms"]).values()
                lines.append(f"  {side:<16}" + "".join(f"{value or 0:>10.1f}" for value in values))
    return lines


def _quantiles(values: pl.Series) -> dict[str, float | None]:
    return {name: values.quantile(share, "nearest") for name, share in _QUANTILES.items()}
