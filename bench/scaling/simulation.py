"""A discrete-event simulation of queries that pass stations of several servers each, first come, first served."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Seconds = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Visit:
    """One step of every query: it goes to all named stations at once and on when the last one is done.

    Attributes:
        stations: their numbers.
        service: (queries, stations) seconds of service; a query with 0 passes a station without waiting.
        travel_s: time on the way there and back, once a visit, unless all its services are 0.
    """

    stations: tuple[int, ...]
    service: Seconds
    travel_s: float = 0.0


class Simulation:
    """Stations, their queues and the queries on their way. For one run.

    Args:
        servers: how many each station has.
        path: the visits of a query, in order.
    """

    def __init__(self, servers: Sequence[int], path: Sequence[Visit]) -> None:
        self._free = list(servers)
        self._queues: list[deque[tuple[int, int, float]]] = [deque() for _ in servers]
        self._path = [(visit, visit.service.tolist()) for visit in path]
        self._events: list[tuple[float, int, int, int, int]] = []
        self._made = 0
        self._open: dict[int, int] = {}
        self._done: dict[int, float] = {}

    def run(self, arrivals: Seconds) -> Seconds:
        """Return the seconds each query took, from its arrival, (queries,) float64.

        Args:
            arrivals: ascending moments, one a query: open-loop, whatever became of those before.
        """
        for query, moment in enumerate(arrivals.tolist()):
            self._later(moment, query, 0, -1)
        while self._events:
            moment, _, query, step, station = heapq.heappop(self._events)
            if station < 0:
                self._enter(moment, query, step)
            else:
                self._leave(moment, query, step, station)
        return np.array([self._done[query] for query in range(len(arrivals))]) - arrivals

    def _later(self, moment: float, query: int, step: int, station: int) -> None:
        self._made += 1
        heapq.heappush(self._events, (moment, self._made, query, step, station))

    def _enter(self, moment: float, query: int, step: int) -> None:
        """Begin a visit, or end the query after its last one."""
        if step == len(self._path):
            self._done[query] = moment
            return
        visit, services = self._path[step]
        wanted = [
            (station, seconds) for station, seconds in zip(visit.stations, services[query], strict=True) if seconds
        ]
        if not wanted:
            self._enter(moment, query, step + 1)
            return
        self._open[query] = len(wanted)
        for station, seconds in wanted:
            if self._free[station]:
                self._free[station] -= 1
                self._later(moment + seconds, query, step, station)
            else:
                self._queues[station].append((query, step, seconds))

    def _leave(self, moment: float, query: int, step: int, station: int) -> None:
        """Give the server to who waits longest, and go on if this was the last service of the visit."""
        if self._queues[station]:
            waiting, its_step, seconds = self._queues[station].popleft()
            self._later(moment + seconds, waiting, its_step, station)
        else:
            self._free[station] += 1
        self._open[query] -= 1
        if not self._open[query]:
            self._later(moment + self._path[step][0].travel_s, query, step + 1, -1)


def poisson(rate: float, count: int, rng: np.random.Generator) -> Seconds:
    """Return `count` moments of independent arrivals, `rate` a second."""
    return np.cumsum(rng.exponential(1 / rate, count))
