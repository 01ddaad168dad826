"""Gathers concurrent calls into batches: a bounded queue in front of an engine that runs one batch, or two, at a time.

A lone caller runs the engine in its own thread. Callers that come while it is busy queue up, and a worker thread takes
all that fit into the next batch as soon as the engine is free and those who were just answered had time to come again.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import Future
from dataclasses import replace

import numpy as np

from arthur.encode import Encoder
from arthur.encode.calls import BatchStats, Call, fail, last_deadline
from arthur.encode.deadline import deadline, is_late, left_s, until
from arthur.encode.gathering import Gathering
from arthur.encode.quarantine import Quarantine
from arthur.encode.spec import EngineSpec, check_pixels
from arthur.errors import DeadlineExceeded, EngineError, EngineMismatch, EngineUnavailable, Overloaded
from arthur.types import Pixels, Vectors

_QUEUED_BATCHES = 16
_NO_PICTURES_FAULT = (Overloaded, EngineUnavailable, EngineMismatch, DeadlineExceeded)
"""What halving a batch would not change."""


class Batched:
    """An encoder in front of another one. See Encoder.

    A picture on which the engine fails costs its own caller an error and the others nothing but time: a batch that
    failed is halved until the guilty call is alone, and the guilty pixels are kept out of further batches for a minute.
    Calls whose future was cancelled, or whose deadline has passed, are dropped before they run.
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        batch_max: int,
        wait_ms: float = 0.0,
        queue_max: int = 0,
        lanes: int = 1,
        spread: int = 1,
    ) -> None:
        """Own `encoder`; `close` closes it.

        Args:
            encoder: runs the batches.
            batch_max: pictures in one run at most.
            wait_ms: how long the oldest call waits for a full batch; 0 waits only for callers that are about to come
                again (see Gathering).
            queue_max: pictures waiting at most; 0 is sixteen batches.
            lanes: batches in the engine at a time. 1 for a CPU, whose cores one batch fills; 2 for an engine on a GPU
                that gathers and copies the next batch while it computes.
            spread: engines behind `encoder`, each of which is to get its share of what waits.
        """
        self._encoder = encoder
        self._batch_max = batch_max
        self._wait_s = wait_ms / 1000
        self._queue_max = queue_max or _QUEUED_BATCHES * batch_max
        self._lanes = lanes
        self._spread = spread
        self._queue: deque[Call] = deque()
        self._queued = 0
        self._running = 0
        self._closed = False
        self._stats = BatchStats()
        self._gathering = Gathering()
        self._quarantine = Quarantine()
        self._changed = threading.Condition(threading.Lock())
        self._workers = [
            threading.Thread(target=self._work, name=f"arthur-encode-{lane}", daemon=True) for lane in range(lanes)
        ]
        for worker in self._workers:
            worker.start()

    @property
    def spec(self) -> EngineSpec:
        """See Encoder.spec."""
        return self._encoder.spec

    @property
    def batch_max(self) -> int:
        """Pictures in one run at most."""
        return self._batch_max

    def stats(self) -> BatchStats:
        """Return what was done so far."""
        with self._changed:
            return replace(self._stats, queued=self._queued, held=len(self._quarantine))

    def encode(self, pixels: Pixels) -> Vectors:
        """See Encoder.encode. More pictures than fit into one batch run as several.

        Raises:
            DeadlineExceeded: the caller's deadline (see `encode.deadline`) passed before its vectors were there.
        """
        check_pixels(self.spec, pixels)
        if len(pixels) <= self._batch_max:
            return self._encode(pixels)
        starts = range(0, len(pixels), self._batch_max)
        return np.concatenate([self._encode(pixels[start : start + self._batch_max]) for start in starts])

    def submit(self, pixels: Pixels, *, until: float | None = None) -> Future[Vectors]:
        """Queue `pixels`, at most one batch of them; a future that is cancelled before its batch starts is not run.

        `until` is the deadline, as `time.monotonic()` counts: a call that would start after it gets DeadlineExceeded.

        Raises:
            EngineError: the pixels are not of the engine's form or more than a batch, they broke a batch a short while
                ago, or the engine is closed.
            Overloaded: the queue is full.
        """
        check_pixels(self.spec, pixels)
        if len(pixels) > self._batch_max:
            raise EngineError(f"{len(pixels)} pictures are more than a batch of {self._batch_max}")
        self._quarantine.check(pixels)
        with self._changed:
            return self._put(pixels, until)

    def close(self) -> None:
        """See Encoder.close. What is queued still runs; further calls get EngineError."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for worker in self._workers:
            worker.join()
        self._encoder.close()

    def _encode(self, pixels: Pixels) -> Vectors:
        """Run at once in this thread when the engine is idle, else through the queue."""
        moment = deadline()
        if is_late(moment):
            raise _late()
        self._quarantine.check(pixels)
        with self._changed:
            waits = self._queue or self._closed or self._wait_s or self._gathering.missing_s(len(pixels))
            alone = self._running < self._lanes and not waits
            future = None if alone else self._put(pixels, moment)
            self._running += alone
        if future is None:
            try:
                return self._run(pixels)
            finally:
                self._free()
        try:
            return future.result(None if moment is None else left_s(moment, at_most=threading.TIMEOUT_MAX))
        except TimeoutError as error:
            raise _late() from error
        finally:
            future.cancel()

    def _put(self, pixels: Pixels, until: float | None) -> Future[Vectors]:
        """Append a call to the queue; the caller holds the lock."""
        if self._closed:
            raise EngineError(f"engine {self.spec.name} is closed")
        if self._queued + len(pixels) > self._queue_max:
            raise Overloaded("the engine's queue is full")
        call = Call(pixels, time.monotonic(), until)
        self._queue.append(call)
        self._queued += len(pixels)
        if len(self._queue) == 1 or not self._missing_s():
            self._wake()  # a worker that waits for more is woken by the last of them, or by its own clock
        return call.vectors

    def _free(self) -> None:
        """Note that a lane of the engine is free again."""
        with self._changed:
            self._running -= 1
            self._wake()

    def _wake(self) -> None:
        """Wake a worker if there is something to do, and only then; the caller holds the lock."""
        if self._closed:
            self._changed.notify_all()
        elif self._queue and self._running < self._lanes:
            self._changed.notify()

    def _work(self) -> None:
        """Run batches until the encoder is closed and the queue is empty."""
        while (taken := self._take()) is not None:
            calls, late = taken
            fail([call for call in late if call.begin()], _late())
            if not calls:
                continue
            guilty = self._answer(calls)
            for call, error in guilty:
                if len(guilty) < len(calls):  # else it is the engine that fails, and not the picture
                    self._quarantine.put(call.pixels, error)
                fail([call], error)
            self._free()

    def _due(self) -> bool:
        """Whether a worker has something to do, be it to end; the caller holds the lock."""
        return self._running < self._lanes if self._queue else self._closed and not self._running

    def _take(self) -> tuple[list[Call], list[Call]] | None:
        """Wait for the engine and for calls, and take a lane and a batch; also return the calls that are too late.

        None when there is nothing to come.
        """
        with self._changed:
            while True:
                self._changed.wait_for(self._due)
                if not self._queue:
                    return None
                if not (missing_s := self._missing_s()):
                    return self._batch()
                self._changed.wait(missing_s)

    def _missing_s(self) -> float:
        """Return how long to wait for more than is queued, which is something; the caller holds the lock."""
        if self._closed or self._queued >= self._batch_max:
            return 0.0
        wait_s = self._queue[0].since + self._wait_s - time.monotonic()
        return max(0.0, wait_s, self._gathering.missing_s(self._queued))

    def _batch(self) -> tuple[list[Call], list[Call]]:
        """Take from the queue what fits into a batch, and what is too late; the caller holds the lock."""
        calls: list[Call] = []
        late: list[Call] = []
        rows, most = 0, min(self._batch_max, -(-self._queued // self._spread))
        while self._queue and (not rows or rows + len(self._queue[0].pixels) <= most):
            call = self._queue.popleft()
            self._queued -= len(call.pixels)
            if is_late(call.deadline):
                late.append(call)
            elif call.begin():
                calls.append(call)
                rows += len(call.pixels)
            else:
                self._stats.left += 1
        self._stats.late += len(late)
        self._running += bool(calls)
        return calls, late

    def _answer(self, calls: list[Call]) -> list[tuple[Call, Exception]]:
        """Run one batch and hand each caller its rows; halve a batch that failed, and return the guilty calls."""
        try:
            pixels = calls[0].pixels if len(calls) == 1 else np.concatenate([call.pixels for call in calls])
            with until(last_deadline(calls)):
                vectors = self._run(pixels)
        except _NO_PICTURES_FAULT as error:
            fail(calls, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to the caller and not to this thread
            if len(calls) == 1:
                return [(calls[0], error)]
            middle = len(calls) // 2
            return self._answer(calls[:middle]) + self._answer(calls[middle:])
        else:
            ends = np.cumsum([len(call.pixels) for call in calls])
            for call, rows in zip(calls, np.split(vectors, ends[:-1]), strict=True):
                call.vectors.set_result(rows.copy())
        return []

    def _run(self, pixels: Pixels) -> Vectors:
        """Run one batch, and count it."""
        done, begun = False, time.monotonic()
        try:
            vectors = self._encoder.encode(pixels)
            done = len(vectors) == len(pixels)
        finally:
            with self._changed:
                self._stats.runs += 1
                self._stats.pictures += len(pixels)
                self._stats.failed += not done
                seconds = time.monotonic() - begun
                self._gathering.note(answered=len(pixels), waiting=self._queued, seconds=seconds)
        if not done:
            raise EngineError(f"engine {self.spec.name} gave {len(vectors)} vectors for {len(pixels)} pictures")
        return vectors


def _late() -> DeadlineExceeded:
    return DeadlineExceeded("the deadline passed before the engine had run")
