"""The numbers of an embedding service in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from arthur.encode.calls import BatchStats

_COUNTERS = {
    "runs": "Batches that ran",
    "pictures": "Pictures in the batches that ran",
    "failed": "Batches that failed",
    "late": "Calls dropped because their deadline had passed",
    "left": "Calls dropped because their caller had left",
}
_GAUGES = {"queued": "Pictures waiting", "held": "Pictures in quarantine"}


class _Numbers(Collector):
    """One reading."""

    def __init__(self, stats: BatchStats, statuses: Mapping[int, int], engine: str) -> None:
        self._stats = stats
        self._statuses = statuses
        self._engine = engine

    def collect(self) -> Iterator[Metric]:
        """Yield the numbers."""
        for name, meaning in _COUNTERS.items():
            counter = CounterMetricFamily(f"arthur_embedder_{name}", meaning, labels=["engine"])
            counter.add_metric([self._engine], getattr(self._stats, name))
            yield counter
        for name, meaning in _GAUGES.items():
            gauge = GaugeMetricFamily(f"arthur_embedder_{name}", meaning, labels=["engine"])
            gauge.add_metric([self._engine], getattr(self._stats, name))
            yield gauge
        answers = CounterMetricFamily("arthur_embedder_answers", "Requests answered", labels=["status"])
        for status, count in sorted(self._statuses.items()):
            answers.add_metric([str(status)], count)
        yield answers


def exposition(stats: BatchStats, statuses: Mapping[int, int], *, engine: str) -> bytes:
    """Return what the queue did, and how many answers had which status."""
    registry = CollectorRegistry()
    registry.register(_Numbers(stats, statuses, engine))
    return generate_latest(registry)
