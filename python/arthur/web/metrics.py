"""Numbers for Prometheus. With several workers each scrape adds up all of them, whichever worker answers it.

prometheus_client keeps the numbers in files below `PROMETHEUS_MULTIPROC_DIR` when the supervisor sets it before the
worker starts, so counters survive the death of a worker; without it they are this process's own.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counts requests and decisions. Callable from any thread."""

    def __init__(self, cache: Callable[[], Mapping[str, int]] = dict) -> None:
        """Count nothing yet; `cache` tells how often what happened to this process' cache."""
        self._registry = CollectorRegistry()
        self._cache = cache
        self._cache_seen: dict[str, int] = {}
        self._cache_turn = threading.Lock()
        self._cache_events = Counter(
            "arthur_cache_events", "Hits, misses and faults of the cache", ("event",), registry=self._registry
        )
        self._requests = Counter(
            "arthur_requests", "Requests answered", ("route", "method", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "arthur_request_seconds", "Time from the whole body to the answer", ("route",),
            buckets=_BUCKETS, registry=self._registry,
        )  # fmt: skip
        self._stages = Histogram(
            "arthur_stage_seconds", "Time of a stage of recognition", ("stage",),
            buckets=_BUCKETS, registry=self._registry,
        )  # fmt: skip
        self._decisions = Counter("arthur_decisions", "Recognitions", ("decision",), registry=self._registry)
        self._admitted = Gauge(
            "arthur_admitted_requests", "Requests holding a place", multiprocess_mode="livesum", registry=self._registry
        )

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answer."""
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route).observe(seconds)
        self._count_cache()

    def recognized(self, decision: str, timings_ms: dict[str, float]) -> None:
        """Count one decision, and the time of its stages."""
        self._decisions.labels(decision).inc()
        for stage, milliseconds in timings_ms.items():
            self._stages.labels(stage).observe(milliseconds / 1000)

    def admitted(self, places: int) -> None:
        """Note how many places of this worker are taken."""
        self._admitted.set(places)

    def _count_cache(self) -> None:
        with self._cache_turn:
            for event, count in self._cache().items():
                more = count - self._cache_seen.get(event, 0)
                self._cache_events.labels(event).inc(more)
                self._cache_seen[event] = count

    def exposition(self) -> bytes:
        """Return the numbers of all workers in Prometheus' text format."""
        if FOLDER_VARIABLE not in os.environ:
            return generate_latest(self._registry)
        shared = CollectorRegistry()
        MultiProcessCollector(shared)  # type: ignore[no-untyped-call]  # the library's own gap
        return generate_latest(shared)
