"""Numbers for Prometheus. With several workers each scrape adds up all of them, whichever worker answers it.

prometheus_client keeps the numbers in files below `PROMETHEUS_MULTIPROC_DIR` when the supervisor sets it before the
worker starts, so counters survive the death of a worker; without it they are this process's own. docs/operating.md
has a table of all of them.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from arthur.recognition.state import Pulse
from arthur.types import DecisionKind, Recognition
from arthur.web.exemplars import Exemplars

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_FELT_EVERY_S = 1.0
_WATCHED = ("overloaded", "rate_limited", "engine_failed", "engine_unavailable", "store_failed", "internal")


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer that left.

    Attributes:
        route: template of the path; "" where there is none.
        problem: code of the error that was told; "" for none.
        seconds: from the whole body to the answer.
    """

    route: str
    method: str
    status: int
    seconds: float
    problem: str = ""
    request_id: str = ""


class Metrics:
    """Counts what a worker does. Callable from any thread."""

    def __init__(
        self,
        cache: Callable[[], Mapping[str, int]] = dict,
        pulse: Callable[[], Pulse] = lambda: Pulse({}, None),
        standing: Collector | None = None,
    ) -> None:
        """Count nothing yet.

        Args:
            cache: tells how often what happened to this process' cache.
            pulse: see Recognizer.pulse.
            standing: reads the state of the parts when the numbers are asked for.
        """
        self._registry = CollectorRegistry()
        self._folder = Path(os.environ[FOLDER_VARIABLE]) if FOLDER_VARIABLE in os.environ else None
        self._exemplars = Exemplars(BUCKETS, folder=self._folder)
        self._cache, self._pulse, self._standing = _Growth(cache), pulse, standing
        self._queue = _Growth(self._queue_counts)
        self._felt = _Seldom(_FELT_EVERY_S)
        self._count_requests()
        self._count_recognitions()
        self._count_the_queue()
        self._tell_of_this_process()
        self._begin_at_nothing()

    def _count_requests(self) -> None:
        self._requests = Counter(
            "arthur_requests", "Requests answered", ("route", "method", "status"), registry=self._registry
        )
        self._problems = Counter("arthur_problems", "Errors told to callers", ("code",), registry=self._registry)
        self._seconds = self._histogram("arthur_request_seconds", "Time from the whole body to the answer", "route")
        self._cache_events = Counter(
            "arthur_cache_events", "Hits, misses and faults of the cache", ("event",), registry=self._registry
        )

    def _count_recognitions(self) -> None:
        self._decisions = Counter("arthur_decisions", "Recognitions", ("decision",), registry=self._registry)
        self._degraded = Counter(
            "arthur_degraded_answers", "Recognitions without a part that failed", registry=self._registry
        )
        self._skipped = Counter(
            "arthur_skipped_looks",
            "Closer looks that were not needed, not wanted, or had no time",
            ("look",),
            registry=self._registry,
        )
        self._unlogged = Counter(
            "arthur_match_log_dropped", "Answers that the match log had no place for", registry=self._registry
        )
        self._stages = self._histogram("arthur_stage_seconds", "Time of a stage of recognition", "stage")

    def _count_the_queue(self) -> None:
        self._queue_events = Counter(
            "arthur_engine_queue",
            "What an engine's queue did: runs, pictures, failed, late, left",
            ("event",),
            registry=self._registry,
        )
        self._queued = self._gauge("arthur_engine_queued_pictures", "Pictures waiting for the engine", "livesum")
        self._held = self._gauge("arthur_engine_held_pictures", "Pictures in quarantine", "livesum")
        self._sequence = Gauge(
            "arthur_index_sequence",
            "Sequence of the catalogue up to which every worker's index has all",
            ("index",),
            multiprocess_mode="livemin",
            registry=self._registry,
        )

    def _tell_of_this_process(self) -> None:
        self._admitted = self._gauge("arthur_admitted_requests", "Requests holding a place", "livesum")
        self._places = self._gauge("arthur_places", "Places for requests", "livesum")
        self._gauge("arthur_workers", "Web processes", "livesum").set(1)
        self._gauge("arthur_worker_start_seconds", "When the newest web process began, since 1970", "max").set(
            time.time()
        )

    def _begin_at_nothing(self) -> None:
        """Tell what did not happen yet as 0: a rate misses the first of a new series, and a ratio wants both sides."""
        for event in ("hits", "misses"):
            self._cache_events.labels(event)
        for decision in get_args(DecisionKind):
            self._decisions.labels(decision)
        for code in _WATCHED:
            self._problems.labels(code)

    def _gauge(self, name: str, meaning: str, mode: str) -> Gauge:
        return Gauge(name, meaning, multiprocess_mode=mode, registry=self._registry)  # type: ignore[arg-type]  # one of its names

    def _histogram(self, name: str, meaning: str, label: str) -> Histogram:
        return Histogram(name, meaning, (label,), buckets=BUCKETS, registry=self._registry)

    def answered(self, one: Answered) -> None:
        """Count one answer."""
        self._requests.labels(one.route, one.method, str(one.status)).inc()
        self._seconds.labels(one.route).observe(one.seconds)
        self._exemplars.note("arthur_request_seconds", {"route": one.route}, one.seconds, one.request_id)
        if one.problem:
            self._problems.labels(one.problem).inc()
        for event, more in self._cache.since():
            self._cache_events.labels(event).inc(more)
        if self._felt.due():
            self.feel()

    def recognized(self, answer: Recognition, request_id: str) -> None:
        """Count one decision, and the time of its stages."""
        self._decisions.labels(answer.decision).inc()
        self._degraded.inc(answer.degraded)
        for look in answer.skipped:
            self._skipped.labels(look).inc()
        for stage, milliseconds in answer.timings_ms.items():
            self._stages.labels(stage).observe(milliseconds / 1000)
            self._exemplars.note("arthur_stage_seconds", {"stage": stage}, milliseconds / 1000, request_id)

    def unlogged(self, answers: int) -> None:
        """Count answers that are not in the match log."""
        self._unlogged.inc(answers)

    def admitted(self, taken: int, places: int) -> None:
        """Note how many places this worker has, and how many of them are taken."""
        self._admitted.set(taken)
        self._places.set(places)

    def feel(self) -> None:
        """Note how far the indices are, and what the engine's queue does."""
        pulse = self._pulse()
        for index, sequence in pulse.sequences.items():
            self._sequence.labels(index).set(sequence)
        if pulse.queue is not None:
            self._queued.set(pulse.queue.queued)
            self._held.set(pulse.queue.held)
        for event, more in self._queue.since():
            self._queue_events.labels(event).inc(more)

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """Return the numbers of all workers in the format that an Accept header prefers, and its media type."""
        self.feel()
        encode, media_type = choose_encoder(accept)
        return encode(_Scrape(self._collect)), media_type

    def _collect(self) -> Iterator[Metric]:
        numbers: Collector = self._registry
        if self._folder is not None:
            numbers = MultiProcessCollector(None)  # type: ignore[no-untyped-call]  # the library's own gap
        yield from self._exemplars.added_to(numbers.collect())
        if self._standing is not None:
            yield from self._standing.collect()

    def _queue_counts(self) -> Mapping[str, int]:
        queue = self._pulse().queue
        counts = {} if queue is None else asdict(queue)
        return {event: count for event, count in counts.items() if event not in ("queued", "held")}


class _Growth:
    """By how much numbers have grown since they were last asked; those that began anew count from nothing."""

    def __init__(self, counts: Callable[[], Mapping[str, int]]) -> None:
        self._counts = counts
        self._seen: dict[str, int] = {}
        self._turn = threading.Lock()

    def since(self) -> list[tuple[str, int]]:
        """Return each number's growth."""
        with self._turn:
            counts = dict(self._counts())
            seen, self._seen = self._seen, counts
        return [(name, _more(count, seen.get(name, 0))) for name, count in counts.items()]


def _more(count: int, before: int) -> int:
    return count - before if count >= before else count


class _Seldom:
    """Says when something is due again; one of several threads is told."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._last = -every_s
        self._turn = threading.Lock()

    def due(self) -> bool:
        """Whether the time has passed since it was last due."""
        with self._turn:
            now = time.monotonic()
            due = now - self._last >= self._every_s
            self._last = now if due else self._last
        return due


@dataclass(frozen=True, slots=True)
class _Scrape(Collector):
    """One reading of all numbers."""

    read: Callable[[], Iterator[Metric]]

    def collect(self) -> Iterator[Metric]:
        """Yield the numbers."""
        return self.read()
