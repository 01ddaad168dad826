"""Runs batches on a GPU in lanes: while one computes, the next one's pictures are copied.

A lane is a stream with pinned buffers on this machine and buffers on the GPU. For each batch size the copy in, the
computation and the copy out are recorded once, and are one call from then on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

import numpy as np
import structlog
from numpy.typing import NDArray

from arthur.encode.cuda import Cuda
from arthur.encode.ladder import rung, rungs
from arthur.encode.pool import Pool
from arthur.errors import EngineError
from arthur.types import Pixels, Vectors

log = structlog.get_logger(__name__)

_FLOAT = 4


class Program(Protocol):
    """Computation of one lane; reads and writes the addresses that it was made with. Used by one thread at a time."""

    def enqueue(self, batch: int, stream: int) -> None:
        """Queue the computation of the first `batch` rows.

        Raises:
            EngineError: it cannot be queued.
        """
        ...


MakeProgram: TypeAlias = Callable[[int, int], Program]
"""Makes the program that reads pixels at the first address and writes vectors at the second."""


class Lane:
    """One stream with its buffers. Used by one thread at a time."""

    def __init__(self, cuda: Cuda, make: MakeProgram, *, side: int, dim: int, batch_max: int) -> None:
        """Reserve room for `batch_max` pictures.

        Raises:
            OutOfMemory: there is not enough.
        """
        self._cuda, self._dim, self._side = cuda, dim, side
        self._picture = side * side * 3
        self._sizes = rungs(batch_max)
        self._stream = cuda.stream()
        self._pixels, self._vectors = cuda.pin(batch_max * self._picture), cuda.pin(batch_max * dim * _FLOAT)
        self._given, self._found = cuda.reserve(self._pixels.nbytes), cuda.reserve(self._vectors.nbytes)
        self._program = make(self._given, self._found)
        self._graphs: dict[int, int | None] = {}

    def run(self, pixels: Pixels) -> Vectors:
        """Return the vectors of at most `batch_max` pictures.

        Raises:
            EngineError: the GPU failed.
        """
        count = len(pixels)
        batch = rung(self._sizes, count)
        self._cuda.enter()
        self._pixels[: count * self._picture].reshape(pixels.shape)[:] = pixels
        if batch not in self._graphs:
            self._graphs[batch] = self._recorded(batch)
        graph = self._graphs[batch]
        if graph is None:
            self._work(batch)
        else:
            self._cuda.launch(graph, self._stream)
        self._cuda.wait(self._stream)
        rows: NDArray[np.float32] = self._vectors[: count * self._dim * _FLOAT].view(np.float32)
        return rows.reshape(count, self._dim).copy()  # the buffer is written again by the next batch

    def warm(self) -> None:
        """Run and record every batch size, so that no caller waits for it.

        Raises:
            EngineError: the GPU failed.
        """
        blank = np.zeros((self._sizes[-1], self._side, self._side, 3), np.uint8)
        for size in self._sizes:
            self.run(blank[:size])

    def _recorded(self, batch: int) -> int | None:
        """Run once, as libraries set themselves up in the first run, and record; None where that is not possible."""
        self._work(batch)
        self._cuda.wait(self._stream)
        try:
            return self._cuda.record(self._stream, lambda: self._work(batch))
        except EngineError as error:
            log.warning("batch_not_recorded", batch=batch, error=str(error))
            return None

    def _work(self, batch: int) -> None:
        """Queue copy in, computation and copy out."""
        self._cuda.copy_in(self._given, self._pixels[: batch * self._picture], self._stream)
        self._program.enqueue(batch, self._stream)
        self._cuda.copy_out(self._vectors[: batch * self._dim * _FLOAT], self._found, self._stream)


class Lanes:
    """Several lanes of one engine. See GpuRunner."""

    def __init__(self, cuda: Cuda, lanes: tuple[Lane, ...], *, name: str, batch_max: int) -> None:
        """Own `cuda` and the lanes of the engine `name`, each for `batch_max` pictures."""
        self._cuda = cuda
        self._pool = Pool(lanes, name=name, batch_max=batch_max)

    @property
    def parallel(self) -> int:
        """See GpuRunner.parallel."""
        return self._pool.parallel

    def run(self, pixels: Pixels) -> Vectors:
        """See Runner.run."""
        return self._pool.run(pixels)

    def close(self) -> None:
        """See GpuRunner.close."""
        self._pool.empty()
        self._cuda.release()
