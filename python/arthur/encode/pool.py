"""Lanes of one engine, each used by one call at a time, and what every call through them has in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from queue import LifoQueue
from typing import Generic, Protocol, TypeVar

import numpy as np

from arthur.encode.cuda import OutOfMemory
from arthur.errors import EngineError
from arthur.types import Pixels, Vectors


class Runs(Protocol):
    """A lane. Used by one thread at a time."""

    def run(self, pixels: Pixels) -> Vectors:
        """Return the vectors of at most one batch of pictures.

        Raises:
            EngineError: it failed.
        """
        ...


Lane = TypeVar("Lane", bound=Runs)


class Pool(Generic[Lane]):
    """Lends lanes. Callable from any thread. A call takes the lane that was free last, and waits for one."""

    def __init__(self, lanes: Sequence[Lane], *, name: str, batch_max: int) -> None:
        """Lend the lanes of the engine `name`, each for `batch_max` pictures."""
        self._name, self._batch_max = name, batch_max
        self._count = len(lanes)
        self._free: LifoQueue[Lane] = LifoQueue()
        for lane in lanes:
            self._free.put(lane)

    @property
    def parallel(self) -> int:
        """See GpuRunner.parallel."""
        return self._count

    def run(self, pixels: Pixels) -> Vectors:
        """Return the vectors; more pictures than a lane holds run in several batches, one after the other.

        Raises:
            OutOfMemory: there is no room for one picture.
            EngineError: a lane failed, or a vector is not finite.
        """
        starts = range(0, len(pixels), self._batch_max)
        with self._taken() as lane:
            parts = [lane.run(pixels[start : start + self._batch_max]) for start in starts]
        vectors = parts[0] if len(parts) == 1 else np.concatenate(parts)
        if not np.isfinite(vectors).all():
            raise EngineError(f"engine {self._name} gave a vector that is not finite")
        return vectors

    def empty(self) -> None:
        """Take every lane for good, as soon as the calls in flight have ended. Twice is allowed."""
        for _ in range(self._count):
            self._free.get()
        self._count = 0

    @contextmanager
    def _taken(self) -> Iterator[Lane]:
        lane = self._free.get()
        try:
            yield lane
        except OutOfMemory as error:
            raise OutOfMemory(f"engine {self._name}: {error}") from error
        except EngineError as error:
            raise EngineError(f"engine {self._name} failed: {error}") from error
        finally:
            self._free.put(lane)
