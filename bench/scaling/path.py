"""A query's path through a topology, simulated: how long it takes, and how many API machines a goal needs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bench.scaling.machines import Market
from bench.scaling.measured import Measured
from bench.scaling.plan import Topology, Wish
from bench.scaling.simulation import Seconds, Simulation, Visit, poisson

SEED = 1
WARM_UP = 0.1
"""Share of the queries, the first ones, that are not counted: the stations begin empty."""
MOST = 10_000
"""API machines beyond which a goal is called out of reach."""


@dataclass(frozen=True, slots=True)
class Waited:
    """What a simulation found: percentiles in milliseconds, and the busiest station's share of busy servers."""

    p50_ms: float
    p99_ms: float
    busy_api: float
    busy_index: float
    busy_local: float

    @property
    def steady(self) -> bool:
        """Whether no station gets more than it can do."""
        return max(self.busy_api, self.busy_index, self.busy_local) < 1


class Path:
    """Draws photos, searches and votes as they were measured and sends them through a topology.

    Args:
        queries: simulated in one run.
    """

    def __init__(self, wish: Wish, topology: Topology, known: tuple[Measured, Market], *, queries: int) -> None:
        self._wish, self._topology = wish, topology
        self._measured, self._market = known
        self._count = queries

    def waited(self, api: int, rate: float | None = None) -> Waited:
        """Simulate `rate` queries a second (else the wish's) on `api` machines."""
        rng = np.random.default_rng(SEED)
        path = self._visits(rng)
        servers = [api * self._market.roles["api"].cores]
        for role, groups in (("index", self._topology.index_groups), ("local", self._topology.local_groups)):
            servers += [self._wish.replicas * self._market.roles[role].cores] * groups
        rate = rate or self._wish.rate
        took = 1000 * Simulation(servers, path).run(poisson(rate, self._count, rng))[int(WARM_UP * self._count) :]
        busy = self._busy(path, servers, rate)
        index = 1 + self._topology.index_groups
        p50, p99 = np.quantile(took, (0.5, 0.99)).tolist()
        return Waited(p50, p99, busy[0], max(busy[1:index], default=0.0), max(busy[index:], default=0.0))

    def machines(self) -> tuple[int, Waited] | None:
        """Return the fewest API machines (two at least, for one may fail) that keep the goal; None if none do."""
        alone = self.waited(MOST)
        if alone.p99_ms > self._wish.goal_ms or max(alone.busy_index, alone.busy_local) >= 1:
            return None
        api = max(2, math.ceil(alone.busy_api * MOST))
        while True:
            found = self.waited(api)
            if found.steady and found.p99_ms <= self._wish.goal_ms:
                return api, found
            api = math.ceil(api * 1.1)

    def _visits(self, rng: np.random.Generator) -> list[Visit]:
        """Return the path of each query: to the vector, search, features, vote, the rest."""
        stages = self._measured.real if self._wish.photos == "real" else self._measured.stages
        local = self._topology.local != "off"
        photo = rng.integers(0, len(stages.before), self._count)
        last = (stages.after if local else stages.answer)[photo]
        before = stages.before if self._wish.encode_ms is None else stages.before - stages.encode + self._wish.encode_ms
        steps = [Visit((0,), _column(before[photo])), self._search(rng)]
        if local:
            steps += [Visit((0,), _column(stages.features[photo])), self._vote(rng, stages.vote[photo])]
        return [*steps, Visit((0,), _column(last))]

    def _typical(self, curve: str, groups: int) -> float:
        """Return the milliseconds of one part's search or vote."""
        told, views = self._measured.curves[f"{curve}, CPU ms a query"], self._wish.views / max(1, groups)
        return told.interval(views)[1] if self._wish.upper else told.at(views)

    def _search(self, rng: np.random.Generator) -> Visit:
        groups = self._topology.index_groups
        typical = self._typical("vector search", groups) * self._wish.dim / 512
        spread = rng.choice(self._measured.search_spread, (self._count, max(1, groups)))
        if not groups:
            return Visit((0,), typical * spread / 1000)
        asked = np.full((self._count, 1), self._measured.qdrant_client_ms)
        work = np.hstack([asked, typical * self._measured.qdrant_ratio * spread]) / 1000
        return Visit(tuple(range(groups + 1)), work, self._wish.network_ms / 1000)

    def _vote(self, rng: np.random.Generator, least: Seconds) -> Visit:
        groups, first = self._topology.local_groups, 1 + self._topology.index_groups
        typical = self._typical("local index", groups)
        spread = rng.choice(self._measured.vote_spread, (self._count, max(1, groups)))
        further = self._measured.shard_ms if groups else 0.0
        work = (least[:, None] > 0) * (least[:, None] + further + typical * spread) / 1000
        travel = self._wish.network_ms / 1000 if groups else 0.0
        return Visit(tuple(range(first, first + groups)) if groups else (0,), work, travel)

    def _busy(self, path: list[Visit], servers: list[int], rate: float) -> list[float]:
        wanted = np.zeros(len(servers))
        for visit in path:
            np.add.at(wanted, list(visit.stations), visit.service.mean(axis=0))
        return [rate * seconds / count for seconds, count in zip(wanted.tolist(), servers, strict=True)]


def _column(milliseconds: Seconds) -> Seconds:
    return milliseconds[:, None] / 1000
