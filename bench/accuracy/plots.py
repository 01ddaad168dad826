"""The report's plots, as SVG or whatever the file's name asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import polars as pl
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.accuracy.figures import Outcomes


def overview(rows: pl.DataFrame, path: Path) -> Path:
    """Plot one set at one size: R@1 by severity, precision over recall, reliability, recall over cost."""
    with _style():
        figure = Figure(figsize=(11, 8), layout="constrained")
        (severity, precision), (calibration, cost) = figure.subplots(2, 2)
        _severity(severity, rows)
        _precision(precision, rows)
        _reliability(calibration, rows)
        _cost(cost, rows)
        return _saved(figure, path)


def growth(rows: pl.DataFrame, path: Path) -> Path:
    """Plot one set as its catalogue grows: R@1, CPU time of a query, bytes of all works."""
    with _style():
        figure = Figure(figsize=(12, 3.8), layout="constrained")
        recall, time, memory = figure.subplots(1, 3)
        for name, frame in _systems(rows):
            parts = [part for _, part in frame.group_by("size", maintain_order=True)]
            sizes = [part["size"][0] for part in parts]
            recall.plot(sizes, [Outcomes.of(part).recall_at(1) for part in parts], "o-", label=name)
            time.plot(sizes, [_median_ms(part) for part in parts], "o-")
            memory.plot(sizes, [part["bytes_a_work"][-1] * part["size"][0] / 2**20 for part in parts], "o-")
        for axes, label in ((recall, "R@1"), (time, "CPU ms a query, median"), (memory, "MiB of all works")):
            axes.set(xscale="log", xlabel="works", ylabel=label)
        recall.set_ylim(0, 1.02)
        time.set_yscale("log")
        memory.set_yscale("log")
        recall.legend(frameon=False)
        return _saved(figure, path)


def _severity(axes: Axes, rows: pl.DataFrame) -> None:
    known = rows.filter(pl.col("known"))
    severities = known["severity"].unique().sort().to_list()
    systems = list(_systems(known))
    width = 0.8 / max(1, len(systems))
    for number, (name, frame) in enumerate(systems):
        parts = [Outcomes.of(frame.filter(pl.col("severity") == severity)) for severity in severities]
        place = np.arange(len(severities)) + (number - (len(systems) - 1) / 2) * width
        axes.bar(place, [part.recall_at(1) for part in parts], width, label=name)
    axes.set_xticks(range(len(severities)), severities)
    axes.set(ylim=(0, 1.02), xlabel="severity", ylabel="R@1")


def _precision(axes: Axes, rows: pl.DataFrame) -> None:
    for name, frame in _systems(rows):
        points = Outcomes.of(frame).operating_points()
        axes.step(points.recall, points.precision, where="post", label=name)
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="recall", ylabel="precision")
    axes.legend(frameon=False, loc="lower left")


def _reliability(axes: Axes, rows: pl.DataFrame) -> None:
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for name, frame in _systems(rows):
        curve = Outcomes.of(frame).reliability()
        # Each system keeps its colour of the other plots, also after one without probabilities.
        (line,) = axes.plot([], [], "o-", label=name if curve else None)
        if curve:
            line.set_data(curve.predicted, curve.observed)
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="stated probability", ylabel="share that is right")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False)


def _cost(axes: Axes, rows: pl.DataFrame) -> None:
    for name, frame in _systems(rows):
        label = f"{name}, {frame['bytes_a_work'][-1]:,.0f} bytes a work"
        axes.plot([_median_ms(frame)], [Outcomes.of(frame).recall_at(1)], "o", markersize=9, alpha=0.75, label=label)
    axes.set(xscale="log", ylim=(0, 1.02), xlabel="CPU ms a query, median", ylabel="R@1")
    axes.legend(frameon=False)


def _systems(rows: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    for (name,), frame in rows.group_by("system", maintain_order=True):
        yield str(name), frame


def _median_ms(frame: pl.DataFrame) -> float:
    return float(frame.select(pl.col("cpu_ms").median()).item())


def _style() -> AbstractContextManager[None]:
    """Return the context in which figures are made; the salt makes the same rows give the same SVG."""
    return rc_context(
        {"svg.hashsalt": "accuracy", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    )


def _saved(figure: Figure, path: Path) -> Path:
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    return path
