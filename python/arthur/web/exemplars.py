"""The newest request behind each number of a histogram, which OpenMetrics calls exemplars.

prometheus_client keeps none for several processes, so each process remembers its own, and whichever answers a scrape
adds those to the numbers of all.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import inf
from typing import TypeAlias

from prometheus_client.core import Exemplar, Metric
from prometheus_client.utils import floatToGoString

_LABEL = "request_id"
_LONGEST = 128 - len(_LABEL)
"""OpenMetrics bounds the names and values of an exemplar's labels to 128 characters together."""

Place: TypeAlias = tuple[str, frozenset[tuple[str, str]]]


class Exemplars:
    """Remembers one request for each bucket. Callable from any thread."""

    def __init__(self, buckets: Sequence[float], *, clock: Callable[[], float] = time.time) -> None:
        """Remember nothing yet.

        Args:
            buckets: upper bounds of the histograms, ascending, without infinity.
            clock: seconds since 1970.
        """
        self._bounds = (*buckets, inf)
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[Place, Exemplar] = {}

    def note(self, histogram: str, labels: Mapping[str, str], value: float, request_id: str) -> None:
        """Remember which request a value came from; an id that is too long to be told is not."""
        if not 0 < len(request_id) <= _LONGEST:
            return
        bound = self._bounds[bisect_left(self._bounds, value)]
        told = floatToGoString(bound)  # type: ignore[no-untyped-call]  # the library's own gap
        place = f"{histogram}_bucket", frozenset({**labels, "le": told}.items())
        exemplar = Exemplar({_LABEL: request_id}, value, self._clock())
        with self._lock:
            self._kept[place] = exemplar

    def added_to(self, metrics: Iterable[Metric]) -> Iterator[Metric]:
        """Yield the metrics, with what is remembered in its buckets."""
        with self._lock:
            kept = dict(self._kept)
        for metric in metrics:
            metric.samples = [
                sample._replace(exemplar=kept.get((sample.name, frozenset(sample.labels.items()))))
                for sample in metric.samples
            ]
            yield metric
