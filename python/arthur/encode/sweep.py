"""Measures an engine in many settings: every graph alone first, then the promising ones under load.

Settings are measured in turn, again and again and in another order each time, so that what else the machine does spoils
all of them alike.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import TypeAlias, TypeVar

from arthur.encode.batch import Batched
from arthur.encode.folder import EngineFolder
from arthur.encode.journal import Advance
from arthur.encode.loads import Observed, closed_load, open_load
from arthur.encode.runners import Runner, close_runner
from arthur.encode.samples import drawn
from arthur.encode.spec import EngineSpec, Variant
from arthur.types import Pixels, Vectors

Row: TypeAlias = dict[str, object]

Item = TypeVar("Item")
_SHOWN = 16
"""Different pictures under load; engines take the same time for all."""


@dataclass(frozen=True, slots=True, order=True)
class Graph:
    """A graph as it is opened."""

    precision: Variant
    threads: int


@dataclass(frozen=True, slots=True, order=True)
class Setting:
    """A graph behind a queue."""

    graph: Graph
    batch_max: int
    wait_ms: float
    streams: int = 1


@dataclass(frozen=True, slots=True)
class Grid:
    """What is tried.

    Attributes:
        threads, batches, waits_ms, streams: values of each.
        threads_max: of all streams together; 0 for any number.
        clients: of the closed load.
        shares: of the throughput under the closed load, at which pictures then come at random.
        seconds: of one load.
        repeats: of everything.
    """

    threads: tuple[int, ...]
    batches: tuple[int, ...] = (1, 2, 4, 8, 16)
    waits_ms: tuple[float, ...] = (0.0, 2.0, 5.0)
    streams: tuple[int, ...] = (1,)
    threads_max: int = 0
    clients: int = 64
    shares: tuple[float, ...] = (0.5, 0.7, 0.9)
    seconds: float = 2.0
    repeats: int = 5


@dataclass(frozen=True, slots=True)
class Figure:
    """A median over the repeats, between the least and the greatest; five hold the true one with 94 %."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure:
        """Summarise one value for each repeat."""
        return cls(median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Point:
    """A setting while pictures come at random.

    Attributes:
        share: of the setting's own throughput.
        per_s: pictures answered a second.
        p50_ms, p95_ms: latency.
    """

    setting: Setting
    share: float
    per_s: Figure
    p50_ms: Figure
    p95_ms: Figure


@dataclass(slots=True)
class Sweep:
    """Measures one engine. Not thread-safe.

    Attributes:
        opening: opens a graph.
        grid: what is tried.
        advance: told how far the stage at hand is.
        seed: of the order, and of the moments at which pictures come.
        rows: every observation so far.
    """

    folder: EngineFolder
    opening: Callable[[Graph], Runner]
    grid: Grid
    advance: Advance
    seed: int = 0
    rows: list[Row] = field(default_factory=list)

    def graphs(self, precisions: Sequence[Variant]) -> Mapping[Graph, Mapping[int, Figure]]:
        """Run every graph alone, and return how many milliseconds a batch of each size takes."""
        graphs = [Graph(precision, threads) for precision in precisions for threads in self.grid.threads]
        with ExitStack() as opened:
            return self._alone(self._opened(graphs, opened))

    def _alone(self, runners: Mapping[Graph, Runner]) -> Mapping[Graph, Mapping[int, Figure]]:
        """See graphs."""
        shown = drawn(self.folder.facts.side, count=max(self.grid.batches))
        times: dict[tuple[Graph, int], list[float]] = {}
        pairs = [(graph, batch) for graph in runners for batch in self.grid.batches]
        for repeat, (graph, batch) in self._turns(pairs, self.grid.repeats + 1):
            begun = time.perf_counter()
            runners[graph].run(shown[:batch])
            wall_ms = (time.perf_counter() - begun) * 1000
            if repeat:  # the first turn warms up
                times.setdefault((graph, batch), []).append(wall_ms)
                self._note("run", repeat, graph, {"batch": batch, "latency_ms": wall_ms})
        return {graph: {batch: Figure.of(times[graph, batch]) for batch in self.grid.batches} for graph in runners}

    def _opened(self, graphs: Iterable[Graph], opened: ExitStack) -> Mapping[Graph, Runner]:
        """Open graphs; `opened` closes them."""
        runners = {}
        for graph in graphs:
            runners[graph] = self.opening(graph)
            opened.callback(close_runner, runners[graph])
        return runners

    def points(self, settings: Sequence[Setting]) -> list[Point]:
        """Put loads on each setting and return how it bore the open ones."""
        shown = drawn(self.folder.facts.side, count=_SHOWN)
        found: dict[tuple[Setting, float], list[Observed]] = {}
        with ExitStack() as opened:
            runners = self._opened(dict.fromkeys(setting.graph for setting in settings), opened)
            engines = {one: opened.enter_context(self._queue(one, runners[one.graph])) for one in settings}
            for repeat, setting in self._turns(settings, self.grid.repeats):
                for share, observed in self._loaded(engines[setting], setting, shown, repeat):
                    found.setdefault((setting, share), []).append(observed)
        return [_point(setting, share, observed) for (setting, share), observed in found.items()]

    def _loaded(
        self, engine: Batched, setting: Setting, shown: Pixels, repeat: int
    ) -> Iterator[tuple[float, Observed]]:
        """Ask how much the setting bears at most, then let shares of that come at random."""
        grid = self.grid
        most = closed_load(engine, shown, clients=grid.clients, seconds=grid.seconds)
        self._observed("closed", repeat, setting, most, None)
        for share in grid.shares:
            rate = most.per_s * share
            observed = open_load(engine, shown, per_s=rate, seconds=grid.seconds, seed=self.seed + repeat)
            self._observed("open", repeat, setting, observed, rate)
            yield share, observed

    @contextmanager
    def _queue(self, setting: Setting, runner: Runner) -> Iterator[Batched]:
        """Open the queue that a server has, with room for all clients."""
        room = 2 * self.grid.clients + 16 * setting.batch_max
        alone = _Alone(self.folder.spec(), runner)
        engine = Batched(
            alone, batch_max=setting.batch_max, wait_ms=setting.wait_ms, queue_max=room, lanes=setting.streams
        )
        try:
            yield engine
        finally:
            engine.close()

    def _turns(self, items: Sequence[Item], repeats: int) -> Iterator[tuple[int, Item]]:
        """Yield all items in a new order for each repeat."""
        order = random.Random(self.seed)  # noqa: S311 - an order, no secret
        turns = [(repeat, item) for repeat in range(repeats) for item in order.sample(items, len(items))]
        for done, turn in enumerate(turns):
            self.advance(done, len(turns))
            yield turn
        self.advance(len(turns), len(turns))

    def _observed(self, load: str, repeat: int, setting: Setting, observed: Observed, rate: float | None) -> None:
        """Keep every latency of a load."""
        columns: Row = {"batch_max": setting.batch_max, "wait_ms": setting.wait_ms, "streams": setting.streams}
        columns |= {"offered_per_s": rate}
        columns |= {"answered_per_s": observed.per_s, "refused": observed.refused}
        for latency in observed.latencies_ms:
            self._note(load, repeat, setting.graph, {**columns, "latency_ms": latency})

    def _note(self, load: str, repeat: int, graph: Graph, columns: Row) -> None:
        self.rows.append(
            {"load": load, "repeat": repeat, "precision": graph.precision, "threads": graph.threads} | columns
        )


class _Alone:
    """A runner as the encoder that a queue stands before."""

    def __init__(self, spec: EngineSpec, runner: Runner) -> None:
        self.spec = spec
        self._runner = runner

    def encode(self, pixels: Pixels) -> Vectors:
        return self._runner.run(pixels)

    def close(self) -> None:
        """Keep the runner: it stands behind several queues."""


def _point(setting: Setting, share: float, observed: Sequence[Observed]) -> Point:
    """Summarise one load over the repeats."""
    return Point(
        setting,
        share,
        Figure.of([one.per_s for one in observed]),
        Figure.of([one.quantile_ms(0.5) for one in observed]),
        Figure.of([one.quantile_ms(0.95) for one in observed]),
    )
