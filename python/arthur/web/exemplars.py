"""The newest request behind each number of a histogram, which OpenMetrics calls exemplars.

prometheus_client keeps none for several processes. So each process remembers its own, writes them beside the shared
numbers, and whichever answers a scrape adds those of all.
"""

from __future__ import annotations

import os
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from math import inf
from pathlib import Path
from typing import TypeAlias

import orjson
from prometheus_client.core import Exemplar, Metric
from prometheus_client.utils import floatToGoString

_LABEL = "request_id"
_LONGEST = 128 - len(_LABEL)
"""OpenMetrics bounds the names and values of an exemplar's labels to 128 characters together."""
_WRITTEN_EVERY_S = 1.0

Place: TypeAlias = tuple[str, frozenset[tuple[str, str]]]


class Exemplars:
    """Remembers one request for each bucket. Callable from any thread."""

    def __init__(
        self, buckets: Sequence[float], *, folder: Path | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        """Remember nothing yet.

        Args:
            buckets: upper bounds of the histograms, ascending, without infinity.
            folder: where the processes of a server show each other theirs; None is for one alone.
            clock: seconds since 1970.
        """
        self._bounds = (*buckets, inf)
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[Place, Exemplar] = {}
        self._written_at = -inf

    def note(self, histogram: str, labels: Mapping[str, str], value: float, request_id: str) -> None:
        """Remember which request a value came from; an id that is too long to be told is not."""
        if not 0 < len(request_id) <= _LONGEST:
            return
        bound = self._bounds[bisect_left(self._bounds, value)]
        told = floatToGoString(bound)  # type: ignore[no-untyped-call]  # the library's own gap
        place = f"{histogram}_bucket", frozenset({**labels, "le": told}.items())
        at = self._clock()
        with self._lock:
            news = place not in self._kept or at - self._written_at >= _WRITTEN_EVERY_S
            self._kept[place] = Exemplar({_LABEL: request_id}, value, at)
            if self._folder is None or not news:
                return
            self._written_at = at
            rows = [
                (name, dict(pairs), one.labels, one.value, one.timestamp) for (name, pairs), one in self._kept.items()
            ]
        _write(self._folder, rows)

    def added_to(self, metrics: Iterable[Metric]) -> Iterator[Metric]:
        """Yield the metrics, with what the processes remember in its buckets."""
        kept = self._of_all()
        for metric in metrics:
            metric.samples = [
                sample._replace(exemplar=kept.get((sample.name, frozenset(sample.labels.items()))))
                for sample in metric.samples
            ]
            yield metric

    def _of_all(self) -> dict[Place, Exemplar]:
        """Return the newest exemplar in each place, of any process."""
        with self._lock:
            newest = dict(self._kept)
        for place, exemplar in [] if self._folder is None else _read(self._folder):
            if place not in newest or _moment(newest[place]) < _moment(exemplar):
                newest[place] = exemplar
        return newest


def _moment(exemplar: Exemplar) -> float:
    return float(exemplar.timestamp or 0)


def _write(folder: Path, rows: Sequence[tuple[object, ...]]) -> None:
    """Show the other processes what is remembered; a disk that is full costs exemplars, and no request."""
    path = folder / f"exemplars-{os.getpid()}.json"
    scratch = path.with_suffix(f".{threading.get_ident()}")
    with suppress(OSError):
        scratch.write_bytes(orjson.dumps(rows))
        scratch.replace(path)


def _read(folder: Path) -> Iterator[tuple[Place, Exemplar]]:
    for path in folder.glob("exemplars-*.json"):
        with suppress(OSError, ValueError):
            for name, labels, told, value, at in orjson.loads(path.read_bytes()):
                yield (name, frozenset(labels.items())), Exemplar(told, value, at)
