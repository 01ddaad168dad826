"""Brings the rows of a run together: one Parquet file, and a table for a person.

python -m bench.gpu.report FOLDER
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

Row = dict[str, object]
_PEERS = ("transformers", "torch.compile", "torch graphs", "tensorrt plain")


def read(folder: Path) -> list[Row]:
    """Read every row; a line that was cut off is passed over."""
    found = []
    for path in sorted(folder.glob("rows-*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
    return found


def write_parquet(rows: Sequence[Row], path: Path) -> None:
    """Write the rows with polars, or with pyarrow where that is what there is."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: [row.get(name) for row in rows] for name in names}
    try:
        import polars as pl
    except ImportError:
        import pyarrow as pa
        from pyarrow import parquet

        parquet.write_table(pa.table(columns), path)
    else:
        pl.DataFrame(columns, strict=False).write_parquet(path)


def lines(rows: Sequence[Row], machine: str) -> Iterator[str]:
    """Yield the report in Markdown."""
    yield f"# {machine}\n"
    for engine in dict.fromkeys(str(row["engine"]) for row in rows):
        own = [row for row in rows if row["engine"] == engine]
        yield f"\n## {engine}\n"
        yield "| System | batch | p50 ms | p99 ms | images/s | cosine to fp32 | note |"
        yield "|---|---|---|---|---|---|---|"
        for system in dict.fromkeys(str(row["system"]) for row in own):
            yield from _table(system, [row for row in own if row["system"] == system])
        yield from _ratios(own)


def _table(system: str, rows: Sequence[Row]) -> Iterator[str]:
    cosine = next((f"{row['cosine']:.5f}" for row in rows if row["part"] == "parity"), "")
    note = "; ".join(str(row["note"]) for row in rows if row.get("note"))
    rates = {row["batch"]: row["images_s"] for row in rows if row["part"] == "throughput"}
    calls: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if row["part"] == "call":
            calls[str(row["batch"])].append(float(str(row["ms"])))
        if row["part"] == "clients":
            calls[f"1 x {row['clients']} clients"].append(float(str(row["ms"])))
    if not calls:
        yield f"| {system} | | | | | {cosine} | {note} |"
    for batch, times in calls.items():
        rate = rates.get(int(batch)) if batch.isdigit() else None
        middle, late = np.percentile(times, [50, 99])
        shown = "" if rate is None else f"{rate:,.0f}"
        yield f"| {system} | {batch} | {middle:.3f} | {late:.3f} | {shown} | {cosine} | {note} |"
        note = cosine = ""


def _ratios(rows: Sequence[Row]) -> Iterator[str]:
    """Yield how many times faster than its peers TensorRT is at its best batch."""
    best: dict[str, float] = defaultdict(float)
    for row in rows:
        if row["part"] == "throughput":
            best[str(row["system"])] = max(best[str(row["system"])], float(str(row["images_s"])))
    ours = best.get("tensorrt")
    if ours:
        told = ", ".join(f"{ours / best[peer]:.2f} x {peer}" for peer in _PEERS if best.get(peer))
        yield f"\nBest throughput of `tensorrt`: {ours:,.0f} images/s; {told}"


def _machine() -> str:
    """Return what `nvidia-smi` calls the GPU and its driver."""
    asked = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "no GPU"


def main() -> None:
    """Write `rows.parquet` and `report.md` into the folder, and print the report."""
    folder = Path(sys.argv[1])
    rows = read(folder)
    if not rows:
        raise SystemExit(f"{folder} holds no rows")
    text = "\n".join(lines(rows, _machine())) + "\n"
    (folder / "report.md").write_text(text, encoding="utf-8")
    print(text)
    write_parquet(rows, folder / "rows.parquet")


if __name__ == "__main__":
    main()
