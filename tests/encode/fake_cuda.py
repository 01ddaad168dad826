"""A GPU that is none: its memory is this machine's, and what is recorded is a list of calls."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from arthur.encode.cuda import Gpu, OutOfMemory
from arthur.errors import EngineError

GPU = Gpu("Fake 1", "9.0", "580.1", "13.0")


class FakeCuda:
    """See Cuda. `room` is the memory in bytes; `recordable` false refuses graphs."""

    def __init__(self, *, room: int = 1 << 30, recordable: bool = True) -> None:
        self.gpu, self.room, self.recordable = GPU, room, recordable
        self.memory: dict[int, np.ndarray] = {}
        self.graphs: list[list[Callable[[], None]]] = []
        self.recording: list[Callable[[], None]] | None = None
        self.launched: list[int] = []
        self.queued: list[Callable[[], None]] = []
        self.streams, self.released = 0, False

    def enter(self) -> None:
        """Nothing to do."""

    def stream(self) -> int:
        self.streams += 1
        return self.streams

    def reserve(self, size: int) -> int:
        if size > self.room:
            raise OutOfMemory("out of memory (cudaMalloc)")
        self.room -= size
        address = 4096 * (len(self.memory) + 1)
        self.memory[address] = np.zeros(size, np.uint8)
        return address

    def pin(self, size: int) -> np.ndarray:
        return np.zeros(size, np.uint8)

    def copy_in(self, target: int, source: np.ndarray, stream: int) -> None:
        self.queue(lambda: self.memory[target].__setitem__(slice(len(source)), source))

    def copy_out(self, target: np.ndarray, source: int, stream: int) -> None:
        self.queue(lambda: target.__setitem__(slice(None), self.memory[source][: len(target)]))

    def queue(self, work: Callable[[], None]) -> None:
        """Queue or record."""
        (self.queued if self.recording is None else self.recording).append(work)

    def record(self, stream: int, work: Callable[[], None]) -> int:
        if not self.recordable:
            raise EngineError("operation not permitted when stream is capturing")
        self.recording = []
        work()
        self.graphs.append(self.recording)
        self.recording = None
        return len(self.graphs) - 1

    def launch(self, graph: int, stream: int) -> None:
        self.launched.append(graph)
        self.queued.extend(self.graphs[graph])

    def wait(self, stream: int) -> None:
        for work in self.queued:
            work()
        self.queued.clear()

    def release(self) -> None:
        self.released = True


class Sums:
    """A program: the vector of a picture is its sum and one. See Program."""

    def __init__(self, cuda: FakeCuda, given: int, found: int, *, side: int) -> None:
        self.cuda, self.given, self.found, self.side = cuda, given, found, side
        self.batches: list[int] = []

    def enqueue(self, batch: int, stream: int) -> None:
        self.batches.append(batch)
        self.cuda.queue(lambda: self.compute(batch))

    def compute(self, batch: int) -> None:
        """Read the pixels that are there now, and write vectors."""
        rows = self.cuda.memory[self.given][: batch * self.side**2 * 3].reshape(batch, -1)
        vectors = np.stack([rows.sum(axis=1), np.ones(batch)], axis=1).astype(np.float32)
        self.cuda.memory[self.found][: vectors.nbytes] = vectors.view(np.uint8).reshape(-1)
