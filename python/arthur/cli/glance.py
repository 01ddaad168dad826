"""What two scrapes of a server's numbers tell about the time between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from prometheus_client.parser import text_string_to_metric_families

from arthur.errors import FetchError

_MATCH = "/api/v1/match"


@dataclass(frozen=True, slots=True)
class Times:
    """How long something took; None where it did not happen."""

    per_s: float
    mean_ms: float | None
    p50_ms: float | None
    p95_ms: float | None


@dataclass(frozen=True, slots=True)
class Glance:
    """A server between two looks; what is counted is told as so many a second.

    Attributes:
        behind: changes that the index lacks, by index.
        down: parts that do not answer.
        cache_hits: share of the questions to the cache; None when there were none.
        mean_batch: pictures in a run of the engine; None when it did not run.
        embedders: whether each embedding service is asked, by address.
    """

    version: str
    engine: str
    workers: int
    requests: float
    statuses: Mapping[str, float]
    problems: Mapping[str, float]
    decisions: Mapping[str, float]
    match: Times
    stages: Mapping[str, Times]
    admitted: int
    places: int
    queued: int
    mean_batch: float | None
    cache_hits: float | None
    catalog: Mapping[str, int]
    sequence: int
    behind: Mapping[str, int]
    down: tuple[str, ...]
    embedders: Mapping[str, bool]


class Reading:
    """The numbers at one moment."""

    def __init__(self, text: str, at: float) -> None:
        """Read what a server answers at `/metrics`.

        Args:
            text: in Prometheus' text format.
            at: seconds that only grow.

        Raises:
            FetchError: it is not what Arthur serves.
        """
        self.at = at
        self._series: dict[str, list[tuple[Mapping[str, str], float]]] = {}
        try:
            for family in text_string_to_metric_families(text):
                for sample in family.samples:
                    self._series.setdefault(sample.name, []).append((sample.labels, sample.value))
        except ValueError as error:
            raise FetchError("what the server answers at /metrics are no numbers of Prometheus") from error
        if "arthur_workers" not in self._series:
            raise FetchError("the server's /metrics are not those of Arthur")

    def rows(self, name: str, **labels: str) -> Iterator[tuple[Mapping[str, str], float]]:
        """Yield the series of that name whose labels have these values."""
        for known, value in self._series.get(name, ()):
            if labels.items() <= known.items():
                yield known, value

    def sum(self, name: str, **labels: str) -> float:
        """Return the sum of the series of that name whose labels have these values."""
        return sum(value for _, value in self.rows(name, **labels))

    def by(self, name: str, label: str) -> dict[str, float]:
        """Return the series of a name, added up by a label."""
        found: dict[str, float] = {}
        for known, value in self.rows(name):
            found[known[label]] = found.get(known[label], 0.0) + value
        return found

    def told(self, name: str, label: str) -> str:
        """Return a label of a series that is there to tell it; "" without one."""
        return next((known[label] for known, _ in self.rows(name)), "")


def glance(before: Reading, now: Reading) -> Glance:
    """Compare two readings of one server, the older one first."""
    growth = _Growth(before, now)
    newest = now.sum("arthur_catalog_sequence")
    hits, misses = (growth.of("arthur_cache_events_total", event=event) for event in ("hits", "misses"))
    runs, pictures = (growth.of("arthur_engine_queue_total", event=event) for event in ("runs", "pictures"))
    reached = now.by("arthur_index_sequence", "index")
    return Glance(
        version=now.told("arthur_build_info", "version"),
        engine=now.told("arthur_engine_info", "engine"),
        workers=int(now.sum("arthur_workers")),
        requests=growth.of("arthur_requests_total"),
        statuses=growth.by("arthur_requests_total", "status"),
        problems=growth.by("arthur_problems_total", "code"),
        decisions=growth.by("arthur_decisions_total", "decision"),
        match=growth.times("arthur_request_seconds", route=_MATCH),
        stages={
            stage: growth.times("arthur_stage_seconds", stage=stage)
            for stage in now.by("arthur_stage_seconds_count", "stage")
        },
        admitted=int(now.sum("arthur_admitted_requests")),
        places=int(now.sum("arthur_places")),
        queued=int(now.sum("arthur_engine_queued_pictures")),
        mean_batch=pictures / runs if runs else None,
        cache_hits=hits / (hits + misses) if hits + misses else None,
        catalog={name: int(count) for name, count in now.by("arthur_catalog_size", "of").items()},
        sequence=int(newest),
        behind={name: max(0, int(newest - sequence)) for name, sequence in reached.items()},
        down=tuple(part for part, up in now.by("arthur_part_up", "part").items() if not up),
        embedders={url: bool(up) for url, up in now.by("arthur_embedder_up", "embedder").items()},
    )


class _Growth:
    """By how much counters grew in a second. A server that was started anew counts from nothing."""

    def __init__(self, before: Reading, now: Reading) -> None:
        self._before = before
        self._now = now
        self._seconds = max(now.at - before.at, 1e-9)

    def of(self, name: str, **labels: str) -> float:
        return _more(self._now.sum(name, **labels), self._before.sum(name, **labels)) / self._seconds

    def by(self, name: str, label: str) -> dict[str, float]:
        before = self._before.by(name, label)
        grown = {value: _more(count, before.get(value, 0.0)) for value, count in self._now.by(name, label).items()}
        return {value: more / self._seconds for value, more in sorted(grown.items()) if more}

    def times(self, name: str, **labels: str) -> Times:
        per_s = self.of(f"{name}_count", **labels)
        bounds = {float(known["le"]) for known, _ in self._now.rows(f"{name}_bucket", **labels)}
        told = {float(known["le"]): known["le"] for known, _ in self._now.rows(f"{name}_bucket", **labels)}
        below = [(bound, self.of(f"{name}_bucket", **labels, le=told[bound])) for bound in sorted(bounds)]
        spent = self.of(f"{name}_sum", **labels)
        mean_ms = 1000 * spent / per_s if per_s else None
        return Times(per_s, mean_ms, _quantile_ms(below, 0.5), _quantile_ms(below, 0.95))


def _more(count: float, before: float) -> float:
    return count - before if count >= before else count


def _quantile_ms(below: Iterable[tuple[float, float]], share: float) -> float | None:
    """Return the time that this share took at most, from how many took at most so long; None when there were none."""
    places = [(0.0, 0.0), *below]
    wanted = share * places[-1][1]
    if not wanted:
        return None
    for (low, before), (high, count) in pairwise(places):
        if count >= wanted:
            return 1000 * (low if high == inf else low + (high - low) * (wanted - before) / (count - before))
    return None
