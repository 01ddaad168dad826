"""Finds how an engine runs best on this machine under a goal for its latency, and keeps that in the engine's folder."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import product
from pathlib import Path

import polars as pl

from arthur.encode.building import Place, compare_graphs, passport_of, why, with_graph, write_passport
from arthur.encode.changing import changed
from arthur.encode.folder import EngineFolder, open_folder
from arthur.encode.journal import Advance
from arthur.encode.precision import Compared
from arthur.encode.runners import Runner, cpu_model, open_runner, runtime_of
from arthur.encode.spec import Tuning, Variant
from arthur.encode.sweep import Figure, Graph, Grid, Point, Row, Setting, Sweep
from arthur.encode.targets import Target
from arthur.encode.tuned import place_of
from arthur.encode.tuning_plot import tuning_svg
from arthur.errors import ArthurError, EngineError, EngineMismatch, UnusableEngine
from arthur.processors import usable_cores
from arthur.types import Pixels

OBSERVATIONS, PLOT = "tune.parquet", "tune.svg"
_PROMISING = 0.8
"""Share of the best throughput below which a graph is not measured further."""
_WORTH = 1.03
"""What a larger batch has to bring in throughput to be measured further."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """What was found.

    Attributes:
        folder: of the engine, where all of it is kept.
        best: the setting that is used from now on, under the highest load at which it met the goal.
        points: every setting that was put under load.
        left_out: precisions that were not tried, with the reason.
    """

    folder: EngineFolder
    best: Point
    points: tuple[Point, ...]
    left_out: Mapping[Variant, str]


@dataclass(frozen=True, slots=True)
class Goal:
    """What an engine is tuned for.

    Attributes:
        p95_ms: latency that 95 % of the pictures must not exceed.
        precisions: that may be used.
        grid: what is tried.
        seed: of the order of measurements.
        target: where it is to run, as a GPU; None is the CPU.
    """

    p95_ms: float
    precisions: tuple[Variant, ...]
    grid: Grid
    seed: int = 0
    target: Target | None = None

    def target_in(self, folder: EngineFolder) -> Target | None:
        """Return where the engine of that folder runs while it is tuned, with room for all that is tried."""
        if self.target is None:
            return None
        most = max(self.grid.batches)
        return replace(self.target, batch_max=most, streams=max(self.grid.streams), plans=folder.path / "plans")


def tune(engine: str, goal: Goal, *, into: Path, advance: Advance, pictures: Pixels | None = None) -> Tuned:
    """Measure an engine, and let it run as is best from now on; see `sweep` for how.

    A precision is only tried if it may stand in for the full one, as `building.build` decides it.

    Args:
        engine: a pulled or packaged engine, or a folder; a packaged one is copied below `into`.
        goal: what it is tuned for.
        into: folder of the pulled engines.
        advance: told how far the stage at hand is.
        pictures: of the operator's own, on which precisions are compared; None draws some.

    Raises:
        ConfigError: there is no such engine.
        EngineError: no setting meets the goal; nothing was changed.
        UnusableEngine, EngineMismatch: a file of the engine is not right; nothing was changed.
    """
    with changed(engine, into=into) as change:
        folder, passed, left_out = _compared(change.folder, goal, pictures)
        target = goal.target_in(folder)
        sweep = Sweep(folder, partial(_opened, folder, target=target), goal.grid, advance, goal.seed)
        on = cpu_model() if target is None else place_of(target)
        change.note(f"tune for {goal.p95_ms:g} ms in {', '.join(passed)} on {on}")
        points = sweep.points(promising(sweep.graphs(tuple(passed)), goal.grid))
        best = chosen(points, goal.p95_ms)
        _observations(sweep.rows, goal).write_parquet(folder.path / OBSERVATIONS)
        (folder.path / PLOT).write_text(tuning_svg(points, best, goal.p95_ms, folder.facts.name), encoding="utf-8")
        passport = passport_of(passed[best.setting.graph.precision], target)
        write_passport(folder, passport, _tuning(best, goal.p95_ms, place_of(target)))
        change.note(f"tuned: {described(best)}")
    return Tuned(open_folder(change.place), best, tuple(points), left_out)


def promising(times: Mapping[Graph, Mapping[int, Figure]], grid: Grid) -> list[Setting]:
    """Return the settings that deserve a load: of fast graphs, with batches that are worth waiting for.

    A graph is judged by its quickest runs: other work on the machine only ever adds to them.
    """
    speeds = {graph: {size: size / one.least for size, one in sizes.items()} for graph, sizes in times.items()}
    least = _PROMISING * max(speed for sizes in speeds.values() for speed in sizes.values())
    settings = []
    for graph, sizes in speeds.items():
        if max(sizes.values()) < least:
            continue
        worth = 0.0
        for batch, speed in sorted(sizes.items()):
            if speed >= worth * _WORTH:
                worth = speed
                waits = grid.waits_ms if batch > 1 else grid.waits_ms[:1]
                pairs = product(waits, _streams(graph, grid))
                settings += [Setting(graph, batch, wait_ms, streams) for wait_ms, streams in pairs]
    return settings


def _streams(graph: Graph, grid: Grid) -> list[int]:
    """Return how many streams a graph is tried with: no more than leave each thread a core, but one at least."""
    bound = grid.threads_max // graph.threads if grid.threads_max else max(grid.streams)
    return [streams for streams in grid.streams if streams <= bound] or [min(grid.streams)]


def chosen(points: Sequence[Point], goal_ms: float) -> Point:
    """Return the point with the highest throughput that meets the goal; of settings as good as its, the quickest.

    Raises:
        EngineError: none meets it; tells the nearest.
    """
    able = [point for point in points if point.p95_ms.median <= goal_ms]
    if not able:
        nearest = min(points, key=lambda point: point.p95_ms.median)
        raise EngineError(
            f"no setting answers 95 % within {goal_ms:g} ms; the nearest: {described(nearest)}; nothing was changed"
        )
    highest: dict[Setting, Point] = {}
    for point in sorted(able, key=lambda point: point.per_s.median):
        highest[point.setting] = point
    most = max(highest.values(), key=lambda point: point.per_s.median)
    alike = [point for point in highest.values() if point.per_s.most >= most.per_s.least]
    return min(alike, key=lambda point: point.p95_ms.median)


def described(point: Point) -> str:
    """Return a point in words."""
    setting, per_s, p95 = point.setting, point.per_s, point.p95_ms
    return (
        f"{setting.graph.precision}, {setting.graph.threads} threads, {setting.streams} at a time, "
        f"batches of {setting.batch_max}, "
        f"{setting.wait_ms:g} ms of waiting: {per_s.median:.1f} pictures/s ({per_s.least:.1f}..{per_s.most:.1f}), "
        f"95 % within {p95.median:.1f} ms ({p95.least:.1f}..{p95.most:.1f})"
    )


def _compared(
    folder: EngineFolder, goal: Goal, pictures: Pixels | None
) -> tuple[EngineFolder, dict[Variant, Compared], dict[Variant, str]]:
    """Make the graphs that are wanted, and return which passed and why others did not."""
    open_runner(folder, "fp32", threads=1)  # without the full graph there is nothing to compare with
    passed: dict[Variant, Compared] = {}
    left_out: dict[Variant, str] = {}
    target = goal.target_in(folder)
    place = None if target is None else Place(target)
    for precision in goal.precisions:
        try:
            made = folder if place else with_graph(folder, precision)
            found = compare_graphs(made, precision, pictures=pictures, place=place)
        except (EngineMismatch, UnusableEngine):
            raise
        except ArthurError as error:
            left_out[precision] = str(error)
            continue
        if found.passed:
            folder, passed[precision] = made, found
        else:
            left_out[precision] = why(found)
    if not passed:
        raise EngineError(f"engine {folder.facts.name} runs in no precision here: {'; '.join(left_out.values())}")
    return folder, passed, left_out


def _opened(folder: EngineFolder, graph: Graph, *, target: Target | None) -> Runner:
    return open_runner(folder, graph.precision, threads=graph.threads, target=target)


def _tuning(best: Point, goal_ms: float, where: str) -> Tuning:
    setting = best.setting
    return Tuning(
        threads=setting.graph.threads,
        batch_max=setting.batch_max,
        batch_wait_ms=setting.wait_ms,
        streams=setting.streams,
        goal_ms=goal_ms,
        per_s=round(best.per_s.median, 3),
        p95_ms=round(best.p95_ms.median, 3),
        where=where,
        cpu=cpu_model(),
        cores=usable_cores(),
    )


def _observations(rows: Sequence[Row], goal: Goal) -> pl.DataFrame:
    """Return every observation, each with all that is needed to judge it later."""
    runtimes = ", ".join(dict.fromkeys(runtime_of(precision, goal.target) for precision in goal.precisions))
    context = {
        "at": datetime.now(UTC),
        "cpu": cpu_model(),
        "cores": usable_cores(),
        "where": place_of(goal.target),
        "load_1m": os.getloadavg()[0],
        "runtimes": runtimes,
        "goal_ms": goal.p95_ms,
        "seed": goal.seed,
    }
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return frame.with_columns(**{key: pl.lit(value) for key, value in context.items()})
