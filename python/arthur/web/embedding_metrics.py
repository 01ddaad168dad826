"""The numbers of an embedding service, which is one process, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import orjson
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from arthur.encode.calls import BatchStats
from arthur.encode.spec import EngineSpec
from arthur.web.exemplars import Exemplars
from arthur.web.metrics import BUCKETS

_COUNTERS = {
    "runs": "Batches that ran",
    "pictures": "Pictures in the batches that ran",
    "failed": "Batches that failed",
    "late": "Calls dropped because their deadline had passed",
    "left": "Calls dropped because their caller had left",
}
_GAUGES = {"queued": "Pictures waiting", "held": "Pictures in quarantine"}
_PASSPORT = ("fingerprint", "precision", "runtime", "device")


class EmbedderMetrics(Collector):
    """Counts answers, and reads the queue when it is asked. Belongs to the event loop."""

    def __init__(self, spec: EngineSpec, stats: Callable[[], BatchStats]) -> None:
        self._spec = spec
        self._stats = stats
        self._registry = CollectorRegistry()
        self._answers = Counter("arthur_embedder_answers", "Requests answered", ("status",), registry=self._registry)
        self._seconds = Histogram(
            "arthur_embedder_request_seconds", "Time from the head of a request to its answer", ("path",),
            buckets=BUCKETS, registry=self._registry,
        )  # fmt: skip
        self._exemplars = Exemplars(BUCKETS)

    def answered(self, path: str, status: int, seconds: float, *, request_id: str) -> None:
        """Count one answer; `path` is one of the service's own, or ""."""
        self._answers.labels(str(status)).inc()
        self._seconds.labels(path).observe(seconds)
        self._exemplars.note("arthur_embedder_request_seconds", {"path": path}, seconds, request_id)

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """Return the numbers in the format that an Accept header prefers, and its media type."""
        encode, media_type = choose_encoder(accept)
        return encode(self), media_type

    def collect(self) -> Iterator[Metric]:
        """Yield the numbers."""
        yield from self._exemplars.added_to(self._registry.collect())
        stats, engine = self._stats(), self._spec.label
        for name, meaning in _COUNTERS.items():
            counter = CounterMetricFamily(f"arthur_embedder_{name}", meaning, labels=["engine"])
            counter.add_metric([engine], getattr(stats, name))
            yield counter
        for name, meaning in _GAUGES.items():
            gauge = GaugeMetricFamily(f"arthur_embedder_{name}", meaning, labels=["engine"])
            gauge.add_metric([engine], getattr(stats, name))
            yield gauge
        yield self._passport()

    def _passport(self) -> Metric:
        """Return what the engine runs in, whose value is 1."""
        passport = self._spec.passport
        facts = {} if passport is None else orjson.loads(passport.document)
        info = GaugeMetricFamily(
            "arthur_embedder_info", "Passport of the engine", labels=["engine", "passport", *_PASSPORT]
        )
        info.add_metric([self._spec.label, self._spec.passport_id, *(str(facts.get(n) or "") for n in _PASSPORT)], 1)
        return info
