"""Sending recorded requests to two servers, side by side."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import groupby

import httpx

from arthur.replay.comparing import Answered, Verdict, compare
from arthur.replay.requests import Recorded, Unusable

_AHEAD = 2


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, both answers and how they differ."""

    request: Recorded
    old: Answered
    new: Answered
    verdict: Verdict

    @property
    def members(self) -> dict[str, object]:
        """The exchange as a flat row."""
        return {
            "place": self.request.place,
            "method": self.request.method,
            "path": self.request.path,
            "recognition": self.request.is_match,
            "old_status": self.old.status,
            "new_status": self.new.status,
            "old_ms": self.old.ms,
            "new_ms": self.new.ms,
            **asdict(self.verdict),
            "note": self.old.error or self.new.error,
        }


class Selection:
    """Chooses what of a recording is sent, and counts what is not. Iterated once."""

    def __init__(self, recording: Iterable[Recorded | Unusable], *, writes: bool, limit: int | None) -> None:
        self._recording = recording
        self._writes = writes
        self._limit = limit
        self.writes_left_out = 0
        self.unusable: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Recorded]:
        chosen = 0
        for one in self._recording:
            if self._limit is not None and chosen >= self._limit:
                return
            if isinstance(one, Unusable):
                self.unusable[one.why] += 1
            elif one.is_write and not self._writes:
                self.writes_left_out += 1
            else:
                chosen += 1
                yield one


class Pair:
    """The old and the new server. Thread-safe."""

    def __init__(self, old: httpx.Client, new: httpx.Client, *, tolerance: float) -> None:
        self._old = old
        self._new = new
        self._tolerance = tolerance

    def __call__(self, request: Recorded) -> Exchange:
        """Ask both, one after the other; which comes first alternates, so that what warms up favours neither."""
        if request.place % 2:
            old = _ask(self._old, request)
            new = _ask(self._new, request)
        else:
            new = _ask(self._new, request)
            old = _ask(self._old, request)
        return Exchange(request, old, new, compare(request, old, new, tolerance=self._tolerance))


def replay(
    requests: Iterable[Recorded], ask: Callable[[Recorded], Exchange], *, concurrency: int
) -> Iterator[Exchange]:
    """Give the exchange of each request, in order. Reads overlap; a write waits for all before it and goes alone."""
    with ThreadPoolExecutor(concurrency, "arthur-replay") as pool:
        for writing, group in groupby(requests, key=lambda request: request.is_write):
            if writing:
                yield from map(ask, group)
            else:
                yield from _overlapping(pool, ask, group, concurrency * _AHEAD)


def _overlapping(
    pool: ThreadPoolExecutor, ask: Callable[[Recorded], Exchange], requests: Iterable[Recorded], ahead: int
) -> Iterator[Exchange]:
    waiting: deque[Future[Exchange]] = deque()
    try:
        for request in requests:
            waiting.append(pool.submit(ask, request))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def _ask(server: httpx.Client, request: Recorded) -> Answered:
    began = time.perf_counter()
    try:
        answer = server.request(request.method, request.target, headers=request.headers, content=request.body)
    except (httpx.TransportError, httpx.InvalidURL) as error:
        return Answered(0, b"", 1000 * (time.perf_counter() - began), f"{type(error).__name__}: {error}")
    return Answered(answer.status_code, answer.content, 1000 * (time.perf_counter() - began))
