"""Gathers concurrent calls into batches: one run of the engine at a time, a bounded queue in front of it.

A lone caller runs the engine in its own thread. Callers that come while it is busy queue up, and one worker thread
takes all that fit into the next batch as soon as the engine is free.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np

from arthur.encode import Encoder
from arthur.encode.spec import EngineSpec, check_pixels
from arthur.errors import EngineError, Overloaded
from arthur.types import Pixels, Vectors

_QUEUED_BATCHES = 16


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    pixels: Pixels
    since: float
    vectors: Future[Vectors] = field(default_factory=Future)


class Batched:
    """An encoder in front of another one. See Encoder.

    A picture on which the engine fails costs its own caller an error and the others nothing but time: a batch that
    failed is halved until the guilty call is alone. Calls whose future was cancelled are dropped before they run.
    """

    def __init__(self, encoder: Encoder, *, batch_max: int, wait_ms: float = 0.0, queue_max: int = 0) -> None:
        """Own `encoder`; `close` closes it.

        Args:
            encoder: runs the batches, one at a time.
            batch_max: pictures in one run at most.
            wait_ms: how long the oldest call waits for a fuller batch; 0 takes what queued up while the engine ran.
            queue_max: pictures waiting at most; 0 is sixteen batches.
        """
        self._encoder = encoder
        self._batch_max = batch_max
        self._wait_s = wait_ms / 1000
        self._queue_max = queue_max or _QUEUED_BATCHES * batch_max
        self._queue: deque[_Call] = deque()
        self._queued = 0
        self._busy = False
        self._closed = False
        self._changed = threading.Condition(threading.Lock())
        self._worker = threading.Thread(target=self._work, name="arthur-encode", daemon=True)
        self._worker.start()

    @property
    def spec(self) -> EngineSpec:
        """See Encoder.spec."""
        return self._encoder.spec

    def encode(self, pixels: Pixels) -> Vectors:
        """See Encoder.encode. More pictures than fit into one batch run as several."""
        check_pixels(self.spec, pixels)
        if len(pixels) <= self._batch_max:
            return self._encode(pixels)
        starts = range(0, len(pixels), self._batch_max)
        return np.concatenate([self._encode(pixels[start : start + self._batch_max]) for start in starts])

    def submit(self, pixels: Pixels) -> Future[Vectors]:
        """Queue `pixels`, at most one batch of them; a future that is cancelled before its batch starts is not run.

        Raises:
            EngineError: the pixels are not of the engine's form or more than a batch, or the engine is closed.
            Overloaded: the queue is full.
        """
        check_pixels(self.spec, pixels)
        if len(pixels) > self._batch_max:
            raise EngineError(f"{len(pixels)} pictures are more than a batch of {self._batch_max}")
        with self._changed:
            return self._put(pixels)

    def close(self) -> None:
        """See Encoder.close. What is queued still runs; further calls get EngineError."""
        with self._changed:
            self._closed = True
            self._wake()
        self._worker.join()
        self._encoder.close()

    def _encode(self, pixels: Pixels) -> Vectors:
        """Run at once in this thread when the engine is idle, else through the queue."""
        with self._changed:
            alone = not (self._busy or self._queue or self._closed or self._wait_s)
            future = None if alone else self._put(pixels)
            self._busy = self._busy or alone
        if future is None:
            try:
                return self._encoder.encode(pixels)
            finally:
                self._free()
        try:
            return future.result()
        finally:
            future.cancel()

    def _put(self, pixels: Pixels) -> Future[Vectors]:
        """Append a call to the queue; the caller holds the lock."""
        if self._closed:
            raise EngineError(f"engine {self.spec.name} is closed")
        if self._queued + len(pixels) > self._queue_max:
            raise Overloaded("the engine's queue is full")
        call = _Call(pixels, time.monotonic())
        self._queue.append(call)
        self._queued += len(pixels)
        self._wake()
        return call.vectors

    def _free(self) -> None:
        """Note that the engine is idle."""
        with self._changed:
            self._busy = False
            self._wake()

    def _wake(self) -> None:
        """Wake the worker if it has something to do, and only then; the caller holds the lock."""
        if not self._busy and (self._queue or self._closed):
            self._changed.notify()

    def _work(self) -> None:
        """Run batches until the encoder is closed and the queue is empty."""
        while calls := self._take():
            live = [call for call in calls if call.vectors.set_running_or_notify_cancel()]
            if live:
                self._answer(live)
            self._free()

    def _take(self) -> list[_Call]:
        """Wait for the engine and for calls, and take the engine and a batch; empty when there is nothing to come."""
        with self._changed:
            self._changed.wait_for(lambda: not self._busy and (self._queue or self._closed))
            while self._queue and not self._closed and self._queued < self._batch_max:
                left_s = self._queue[0].since + self._wait_s - time.monotonic()
                if left_s <= 0:
                    break
                self._changed.wait(left_s)
            calls: list[_Call] = []
            rows = 0
            while self._queue and rows + len(self._queue[0].pixels) <= self._batch_max:
                calls.append(self._queue.popleft())
                rows += len(calls[-1].pixels)
            self._queued -= rows
            self._busy = bool(calls)
            return calls

    def _answer(self, calls: list[_Call]) -> None:
        """Run one batch and hand each caller its rows; halve a batch that failed to find the guilty call."""
        try:
            vectors = self._run(calls)
        except Overloaded as error:
            _fail(calls, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to the caller and not to this thread
            if len(calls) == 1:
                _fail(calls, error)
            else:
                middle = len(calls) // 2
                self._answer(calls[:middle])
                self._answer(calls[middle:])
        else:
            ends = np.cumsum([len(call.pixels) for call in calls])
            for call, rows in zip(calls, np.split(vectors, ends[:-1]), strict=True):
                call.vectors.set_result(rows.copy())

    def _run(self, calls: list[_Call]) -> Vectors:
        """Run the pictures of `calls` as one batch."""
        pixels = calls[0].pixels if len(calls) == 1 else np.concatenate([call.pixels for call in calls])
        vectors = self._encoder.encode(pixels)
        if len(vectors) != len(pixels):
            raise EngineError(f"engine {self.spec.name} gave {len(vectors)} vectors for {len(pixels)} pictures")
        return vectors


def _fail(calls: list[_Call], error: BaseException) -> None:
    """Hand `error` to every caller."""
    for call in calls:
        call.vectors.set_exception(error)
