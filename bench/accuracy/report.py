"""Raw rows to a Markdown report with plots beside it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import polars as pl

from bench.accuracy import plots
from bench.accuracy.figures import Outcomes
from bench.accuracy.metrics import Counted, Interval
from bench.accuracy.systems.choice import SYSTEMS

_LEGEND = """\
R@k: share of photos of enrolled works with a right answer among the first k. uAP: micro average precision over all
photos, open-set ones included. R@P99: recall at the threshold where 99 % of the accepted answers are right. FPR@95:
share of open-set photos accepted at the threshold that keeps 95 % of the right answers. Matched: share of photos of
enrolled works that the system itself declares a match, and rightly; missed: those it declares to have none. No match
rightly: share of open-set photos that it declares to have none. False accepts: open-set photos that it declares a
match. Wrong matches: declared matches that name a wrong work. ECE: expected calibration error of the stated
probabilities. CPU: milliseconds of process time per photo, decoding included, median and 95th percentile. In brackets:
95 % bootstrap intervals over works, or one-sided 95 % bounds of counted rates."""


def write(rows: pl.DataFrame, folder: Path) -> Path:
    """Write `accuracy.md` and its plots into `folder` and return the report's path."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = ["# Accuracy", _LEGEND, _systems(rows)]
    for (name,), of_set in rows.group_by("set", maintain_order=True):
        parts += [f"## {name}", *_provenance(of_set)]
        for (size,), group in of_set.group_by("size", maintain_order=True):
            picture = plots.overview(group, folder / f"accuracy-{name}-{size}.svg")
            parts += [f"### {size} works", *section(group), f"![{name}, {size} works]({picture.name})"]
        if of_set["size"].n_unique() > 1:
            picture = plots.growth(of_set, folder / f"accuracy-{name}-growth.svg")
            parts += [f"### {name} as the catalogue grows", growth(of_set), f"![growth]({picture.name})"]
    path = folder / "accuracy.md"
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return path


def section(rows: pl.DataFrame) -> Iterator[str]:
    """Yield the tables of one set at one size."""
    yield from overall(rows)
    asked = rows.group_by("photo").agg(pl.col("system").n_unique())
    shared = asked.filter(pl.col("system") == rows["system"].n_unique())["photo"]
    if len(shared) < rows["photo"].n_unique():
        answered = ", ".join(f"{name} {frame.height}" for name, frame in _by_system(rows))
        yield f"Not every system was asked every photo within its budget ({answered})."
        yield f"On the {len(shared)} photos that all of them answered:"
        yield from overall(rows.filter(pl.col("photo").is_in(shared.implode())))
    yield "R@1 by severity:"
    yield by_severity(rows)
    if not rows["known"].all():
        yield "FPR@95 and false accepts by kind of open-set photo, at the threshold of all photos:"
        yield by_kind(rows)


def overall(rows: pl.DataFrame) -> Iterator[str]:
    """Yield what comes first and what it costs, then what is declared; one system a row."""
    head = ["system", "photos", "R@1", "R@5", "R@10", "uAP", "R@P99", "FPR@95", "CPU ms", "enrol ms", "bytes a work"]
    yield _table(head, [[name, *_ranking(frame)] for name, frame in _by_system(rows)])
    head = ["system", "matched", "missed", "no match rightly", "false accepts", "wrong matches", "ECE"]
    yield _table(head, [[name, *_declared(Outcomes.of(frame))] for name, frame in _by_system(rows)])


def by_severity(rows: pl.DataFrame) -> str:
    """Return R@1 of each system by severity."""
    known = rows.filter(pl.col("known"))
    severities = known["severity"].unique().sort().to_list()
    lines = []
    for name, frame in _by_system(known):
        parts = [Outcomes.of(frame.filter(pl.col("severity") == severity)) for severity in severities]
        lines.append([name, *(_interval(part.interval(lambda some: some.recall_at(1))) for part in parts)])
    return _table(["system", *severities], lines)


def by_kind(rows: pl.DataFrame) -> str:
    """Return the false positives and false accepts of each system by kind of open-set photo."""
    kinds = rows.filter(~pl.col("known"))["kind"].unique().sort().to_list()
    lines = []
    for name, frame in _by_system(rows):
        parts = [Outcomes.of(frame.filter(pl.col("known") | (pl.col("kind") == kind))) for kind in kinds]
        lines.append([name, *(f"{_share(part.false_positives())}, {_counted(part.false_accepts())}" for part in parts)])
    return _table(["system", *kinds], lines)


def growth(rows: pl.DataFrame) -> str:
    """Return recall, time and memory of each system by size of the catalogue.

    The process holds all systems of the run: for the memory of one, run it alone.
    """
    lines = []
    for name, frame in _by_system(rows):
        for (size,), part in frame.group_by("size", maintain_order=True):
            seen = Outcomes.of(part)
            figures = [seen.recall_at(1), seen.recall_at(10), seen.average_precision()]
            cost = [_ms(part, 0.5), *(_last(part, column, "{:,.0f}") for column in ("bytes_a_work", "process_mib"))]
            lines.append([name, str(size), str(part.height), *map(_share, figures), *cost])
    head = ["system", "works", "photos", "R@1", "R@10", "uAP", "CPU ms", "bytes a work", "process MiB"]
    return _table(head, lines)


def _ranking(frame: pl.DataFrame) -> Iterator[str]:
    seen = Outcomes.of(frame)
    yield str(frame.height)
    for k in (1, 5, 10):
        yield _interval(seen.interval(partial(Outcomes.recall_at, k=k)))
    for figure in (Outcomes.average_precision, Outcomes.sure_recall, Outcomes.false_positives):
        yield _interval(seen.interval(figure))
    yield f"{_ms(frame, 0.5)} / {_ms(frame, 0.95)}"
    yield _last(frame, "enrol_cpu_ms", "{:.1f}")
    yield _last(frame, "bytes_a_work", "{:,.0f}")


def _declared(seen: Outcomes) -> Iterator[str]:
    yield _interval(seen.interval(Outcomes.accepted_recall))
    yield _share(seen.dismissed_known())
    yield _interval(seen.interval(Outcomes.dismissed_unknown))
    yield _counted(seen.false_accepts())
    yield _counted(seen.wrong_accepts())
    curve = seen.reliability()
    yield "-" if curve is None else _share(curve.error)


def _systems(rows: pl.DataFrame) -> str:
    names = rows["system"].unique(maintain_order=True).to_list()
    return "\n".join(f"- {name}: {SYSTEMS.get(name, name)}" for name in names)


def _provenance(rows: pl.DataFrame) -> Iterator[str]:
    first = rows.row(0, named=True)
    facts = ("provenance", "commit", "cpu", "cores", "threads", "engine", "peer_engine", "versions", "seed")
    yield "; ".join(f"{fact.replace('_', ' ')} {first[fact]}" for fact in facts if fact in first) + "."


def _by_system(rows: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    for (name,), frame in rows.group_by("system", maintain_order=True):
        yield str(name), frame


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _share(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def _interval(found: Interval) -> str:
    return f"{_share(found.value)} [{_share(found.low)}, {_share(found.high)}]"


def _counted(seen: Counted) -> str:
    return f"{seen.events}/{seen.trials} (≤ {seen.at_most():.1%})" if seen.trials else "-"


def _ms(frame: pl.DataFrame, quantile: float) -> str:
    return f"{frame.select(pl.col('cpu_ms').quantile(quantile)).item():.1f}"


def _last(frame: pl.DataFrame, column: str, form: str) -> str:
    value = frame[column][-1]
    return "-" if value is None else form.format(value)
