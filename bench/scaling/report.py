"""The tables of a plan as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from bench.scaling.fits import Curve, Line, power_law
from bench.scaling.machines import Market
from bench.scaling.measured import QDRANT_ROWS, Measured, Milliseconds, Stages
from bench.scaling.path import Path, Waited
from bench.scaling.plan import Local, Topology, Wish, best_local, laid_out, machines_of, month

LOADS = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95)
RATES = (10.0, 100.0, 1000.0)
LOCALS: tuple[Local, ...] = ("whole", "sharded", "off")
FILL_CORES = 64


class Report:
    """Makes the tables for several sizes of a wish.

    Args:
        sizes: numbers of views.
        local: where the local index is; None takes what `best_local` finds.
        queries: simulated in each run.
    """

    def __init__(
        self,
        wish: Wish,
        sizes: Sequence[int],
        known: tuple[Measured, Market],
        *,
        local: Local | None = None,
        queries: int = 2000,
    ) -> None:
        self._wishes = [replace(wish, views=views) for views in sizes]
        self._known = known
        self._measured, self._market = known
        self._local = local
        self._queries = queries

    def __str__(self) -> str:
        """All tables, with their headings."""
        parts = (
            ("Curves", self._curves()),
            ("Other measured figures", self._figures()),
            ("Sizes", self._sizes()),
            ("Local index: whole, sharded, off", self._variants()),
            ("Load and latency", self._loads()),
            ("Queries a second and API machines", self._rates()),
            ("Filling", self._filling()),
        )
        return "\n\n".join(f"### {title}\n\n{table}" for title, table in parts)

    def _laid_out(self, wish: Wish, local: Local | None = None) -> Topology:
        local = local or self._local or best_local(wish, *self._known)
        return laid_out(wish, *self._known, local=local)

    def _path(self, wish: Wish, topology: Topology) -> Path:
        return Path(wish, topology, self._known, queries=self._queries)

    def _curves(self) -> str:
        sizes = [wish.views for wish in self._wishes]
        head = (
            "curve",
            "measured at",
            "form",
            "exponent, 95 %",
            *(f"{_count(size)}: fitted (95 %), times beyond" for size in sizes),
        )
        return _table(
            head,
            (self._curve(name, curve, sizes) for name, curve in self._measured.curves.items()),
        )

    def _curve(self, name: str, curve: Curve, sizes: Sequence[int]) -> tuple[str, ...]:
        """Return what a curve rests on and what it says, with the exponent that its points have in any case."""
        form, power = "line" if isinstance(curve, Line) else "power law", power_law(curve.points)
        points = ", ".join(f"{_count(x)}: {_short(y)}" for x, y in curve.points)
        said = (
            f"{_short(curve.at(x))} ({' to '.join(map(_short, curve.interval(x)))}), {x / curve.points[-1][0]:,.0f}x"
            for x in sizes
        )
        return (name, points, form, f"{power.exponent:.2f} ± {power.margin:.2f}", *said)

    def _figures(self) -> str:
        told, stages = self._measured, self._measured.stages
        rows: list[tuple[str, *tuple[float, ...]]] = [
            ("embedding (arthur-mini), CPU ms a photo, p50", float(np.median(stages.encode))),
            ("embedding, photos a second and core", 1000 / float(np.median(stages.encode))),
            ("from bytes to vector, CPU ms p50 / p99", *_percentiles(stages.before)),
            (
                "local features, of the photos that need them, CPU ms p50 / p99",
                *_percentiles(_positive(stages.features)),
            ),
            ("share of photos that the local index is asked for", float((stages.vote > 0).mean())),
            ("verifying and deciding, CPU ms p50 / p99", *_percentiles(stages.after)),
            ("a whole recognition of a drawing, CPU ms p50 / p99", *_percentiles(_total(stages))),
            ("a whole recognition of a real photo (museum), CPU ms p50 / p99", *_percentiles(_total(told.real))),
            ("enrolling a picture, CPU ms", told.enrol_ms),
            ("Qdrant (int8) by Arthur, CPU ms a query, at 60,000", told.qdrant_ratio),
            ("a query of Qdrant over the wire, CPU ms of the client", told.qdrant_client_ms),
            ("Qdrant, bytes on disk a view, at 60,000", told.qdrant_disk),
            ("Qdrant, CPU ms a view to put and build, at 60,000", told.qdrant_fill_ms),
            ("a further shard of the local index, CPU ms a query", told.shard_ms),
            ("photo of a request, bytes", told.photo_bytes),
        ]
        return _table(("figure", "measured"), ((name, " / ".join(map(_short, values))) for name, *values in rows))

    def _sizes(self) -> str:
        columns = [self._size(wish) for wish in self._wishes]
        names = [name for name, _ in columns[0]]
        head = ("", *(_count(wish.views) for wish in self._wishes))
        return _table(head, ((name, *(column[row][1] for column in columns)) for row, name in enumerate(names)))

    def _size(self, wish: Wish) -> list[tuple[str, str]]:
        """Return the rows of one size: what, and how much."""
        topology = self._laid_out(wish)
        found = self._path(wish, topology).machines()
        counts = machines_of(wish, topology, found[0] if found else 0)
        photos = wish.rate * self._measured.photo_bytes * 8 / 1e6
        vectors = wish.rate * topology.index_groups * wish.dim * 4 * 8 / 1e6
        encode = wish.encode_ms or float(np.median(self._measured.stages.encode))
        return [
            ("vector index", topology.index),
            ("local index", topology.local),
            ("memory of the vector index, each copy", _bytes(topology.index_bytes)),
            ("memory of the local index, each copy", _bytes(topology.local_bytes)),
            ("catalogue (with local features, thumbnails and indices unless `off`)", _bytes(topology.stored_bytes)),
            ("disk of databases and index machines", _bytes(topology.disk_bytes)),
            ("index machines (parts x copies)", f"{topology.index_groups} x {wish.replicas}"),
            ("database machines", str(counts["database"])),
            (f"API machines for {wish.rate:g} queries/s", str(counts["api"]) if found else "out of reach"),
            ("p50 / p99, simulated", _latency(found[1]) if found else "-"),
            ("cores busy with embedding", f"{wish.rate * encode / 1000:.2g}"),
            ("network: photos in; vectors to index machines", f"{photos:,.0f}; {vectors:,.0f} Mbit/s"),
            ("a month", _money(month(topology, counts, self._market), self._market) if found else "-"),
            ("with real photos: API machines, p50 / p99", self._needed(replace(wish, photos="real"))),
            (
                "p50 / p99 with searches and votes at the upper end of their interval",
                self._worst(wish, topology, counts),
            ),
        ]

    def _worst(self, wish: Wish, topology: Topology, counts: dict[str, int]) -> str:
        if not counts["api"]:
            return "-"
        found = self._path(replace(wish, upper=True), topology).waited(counts["api"])
        return _latency(found) if found.steady else "more machines are needed"

    def _variants(self) -> str:
        rows = [self._variant(wish, local) for wish in self._wishes for local in LOCALS]
        head = ("views", "local index", "memory, each copy", "machines for it", "API machines", "p50 / p99", "a month")
        return _table(head, rows)

    def _variant(self, wish: Wish, local: Local) -> tuple[str, ...]:
        topology = self._laid_out(wish, local)
        name = {"whole": "whole, on each API machine", "sharded": "sharded: **not built**", "off": "off"}[local]
        start = (_count(wish.views), name, _bytes(topology.local_bytes))
        if local == "whole" and topology.local_bytes > self._market.roles["api"].data_bytes:
            return (*start, "0", "does not fit", "-", "-")
        machines = str(topology.local_groups * wish.replicas)
        found = self._path(wish, topology).machines()
        if not found:
            return (*start, machines, "out of reach", "-", "-")
        cost = month(topology, machines_of(wish, topology, found[0]), self._market)
        return (*start, machines, str(found[0]), _latency(found[1]), _money(cost, self._market))

    def _loads(self) -> str:
        head = ("views", "API machines", *(f"{load:.0%} busy" for load in LOADS))
        return _table(head, (self._load(wish) for wish in self._wishes))

    def _load(self, wish: Wish) -> tuple[str, ...]:
        """Return p50 / p99 of two API machines by the share of their cores that is busy."""
        api, path = 2, self._path(wish, self._laid_out(wish))
        one = path.waited(api, 1.0).busy_api
        waits = (path.waited(api, load / one) for load in LOADS)
        cells = (
            f"{_latency(found)} at {load / one:,.0f}/s" if found.steady else "index full"
            for load, found in zip(LOADS, waits, strict=True)
        )
        return (_count(wish.views), str(api), *cells)

    def _rates(self) -> str:
        head = ("views", *(f"{rate:,.0f}/s" for rate in RATES))
        return _table(
            head,
            (
                (_count(wish.views), *(self._needed(replace(wish, rate=rate)) for rate in RATES))
                for wish in self._wishes
            ),
        )

    def _needed(self, wish: Wish) -> str:
        found = self._path(wish, self._laid_out(wish)).machines()
        return f"{found[0]}: {_latency(found[1])}" if found else "out of reach"

    def _filling(self) -> str:
        head = (
            "views",
            "core hours: enrolling",
            "the vector index",
            "the local index",
            f"all, days on {FILL_CORES} cores",
        )
        return _table(head, (self._fill(wish) for wish in self._wishes))

    def _fill(self, wish: Wish) -> tuple[str, ...]:
        told, topology = self._measured, self._laid_out(wish)
        enrol = wish.views * told.enrol_ms / 3.6e6
        own = told.curves["vector index, CPU s to build"].at(wish.views) / 3600
        vector = own if topology.index == "usearch" else self._filled(wish, topology)
        local = told.curves["local index, CPU s to build"].at(wish.views) / 3600 if topology.local != "off" else 0.0
        hours = (enrol, vector, local)
        return (_count(wish.views), *(f"{value:,.0f}" for value in hours), f"{sum(hours) / FILL_CORES / 24:,.1f}")

    def _filled(self, wish: Wish, topology: Topology) -> float:
        """Return Qdrant's core hours: those measured, growing with a part's views as Arthur's build does."""
        build = power_law(self._measured.curves["vector index, CPU s to build"].points)
        larger = wish.views / topology.index_groups / QDRANT_ROWS
        share = self._measured.qdrant_fill_ms * larger ** (build.exponent - 1)
        return float(wish.views * wish.replicas * share / 3.6e6)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _total(stages: Stages) -> Milliseconds:
    return stages.before + stages.features + stages.vote + stages.after


def _positive(values: Milliseconds) -> Milliseconds:
    return values[values > 0]


def _percentiles(values: Milliseconds) -> tuple[float, float]:
    return float(np.median(values)), float(np.quantile(values, 0.99))


def _latency(found: Waited) -> str:
    return f"{found.p50_ms:,.0f} / {found.p99_ms:,.0f} ms"


def _money(amount: float, market: Market) -> str:
    return f"{float(f'{amount:.2g}'):,.0f} {market.currency}"


def _short(value: float) -> str:
    """Return two or three digits that count."""
    for size, name in ((1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:.3g}{name}"
    return f"{value:.3g}" if value >= 1 else f"{value:.2g}"


def _bytes(value: float) -> str:
    return f"{_short(value)}B" if value else "-"


def _count(value: float) -> str:
    return f"{value / 1e9:g} B" if value >= 1e9 else f"{value / 1e6:g} M" if value >= 1e6 else f"{value / 1e3:g} k"
