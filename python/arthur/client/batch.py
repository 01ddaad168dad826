"""Many photos: a few at the same time, their answers in the order of the photos."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from arthur.client.answers import Recognition
from arthur.client.pictures import Picture
from arthur.errors import ArthurError

Progress = Callable[[int, int], None]
_AHEAD = 2
"""Photos begun but not yet handed out, for each that is under way: a slow photo does not stop the others."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One photo of many, by its place from 0. Exactly one of `answer` and `error` is there."""

    place: int
    photo: Picture
    answer: Recognition | None = None
    error: ArthurError | OSError | None = None


class Tally:
    """Counts outcomes and tells them."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._done = self._failed = 0

    def __call__(self, outcome: Outcome) -> Outcome:
        """Count one outcome and return it."""
        self._done += 1
        self._failed += outcome.error is not None
        if self._progress is not None:
            self._progress(self._done, self._failed)
        return outcome


def check_places(concurrency: int) -> None:
    """Raise ValueError when nothing could ever be under way."""
    if concurrency < 1:
        raise ValueError(f"concurrency must be at least 1, not {concurrency}")


def in_order(
    match: Callable[[Picture], Recognition], photos: Iterable[Picture], *, concurrency: int, progress: Progress | None
) -> Iterator[Outcome]:
    """Give the outcome of each photo, in order. `photos` is read as places become free, in the caller's thread."""
    check_places(concurrency)

    def attempt(place: int, photo: Picture) -> Outcome:
        try:
            return Outcome(place, photo, answer=match(photo))
        except (ArthurError, OSError) as error:
            return Outcome(place, photo, error=error)

    pool, tally = ThreadPoolExecutor(concurrency, "arthur-match"), Tally(progress)
    waiting: deque[Future[Outcome]] = deque()
    try:
        for place, photo in enumerate(photos):
            waiting.append(pool.submit(attempt, place, photo))
            if len(waiting) >= concurrency * _AHEAD:
                yield tally(waiting.popleft().result())
        while waiting:
            yield tally(waiting.popleft().result())
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


async def in_order_async(
    match: Callable[[Picture], Awaitable[Recognition]],
    photos: Iterable[Picture],
    *,
    concurrency: int,
    progress: Progress | None,
) -> AsyncIterator[Outcome]:
    """Give the outcome of each photo, in order. `photos` is read as places become free, in the event loop."""
    check_places(concurrency)
    places, tally = asyncio.Semaphore(concurrency), Tally(progress)

    async def attempt(place: int, photo: Picture) -> Outcome:
        async with places:
            try:
                return Outcome(place, photo, answer=await match(photo))
            except (ArthurError, OSError) as error:
                return Outcome(place, photo, error=error)

    waiting: deque[asyncio.Task[Outcome]] = deque()
    try:
        for place, photo in enumerate(photos):
            waiting.append(asyncio.create_task(attempt(place, photo)))
            if len(waiting) >= concurrency * _AHEAD:
                yield tally(await waiting.popleft())
        while waiting:
            yield tally(await waiting.popleft())
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
