"""Port of an NVIDIA GPU: memory, streams and recorded work; and its adapter, NVIDIA's own `cuda-bindings`.

Numbers stand for what lives on the GPU: addresses, streams and graphs. They mean nothing to another `Cuda`.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from arthur.errors import ConfigError, EngineError


class OutOfMemory(EngineError):
    """The GPU has no memory left for what was asked."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU, as far as a plan depends on it.

    Attributes:
        name: as the driver calls it.
        capability: compute capability, as in `9.0`.
        driver: version of the driver.
        cuda: version of CUDA that the driver brings.
    """

    name: str
    capability: str
    driver: str
    cuda: str


class Cuda(Protocol):
    """One GPU. Methods may be called from any thread; a stream, and what runs on it, belongs to one at a time."""

    @property
    def gpu(self) -> Gpu:
        """What it is."""
        ...

    def stream(self) -> int:
        """Make a stream: work on it runs in order, beside that of other streams."""
        ...

    def reserve(self, size: int) -> int:
        """Return the address of `size` bytes on the GPU, zeroed.

        Raises:
            OutOfMemory: there is no room.
        """
        ...

    def pin(self, size: int) -> NDArray[np.uint8]:
        """Return `size` bytes of page-locked memory of this machine, zeroed; valid until `release`.

        Raises:
            OutOfMemory: there is no room.
        """
        ...

    def copy_in(self, target: int, source: NDArray[np.uint8], stream: int) -> None:
        """Queue a copy of pinned bytes to the GPU."""
        ...

    def copy_out(self, target: NDArray[np.uint8], source: int, stream: int) -> None:
        """Queue a copy from the GPU to pinned bytes."""
        ...

    def record(self, stream: int, work: Callable[[], None]) -> int:
        """Return the graph of what `work` queues on `stream`, which does not run now.

        Raises:
            EngineError: something in it cannot be recorded.
        """
        ...

    def launch(self, graph: int, stream: int) -> None:
        """Queue all that was recorded."""
        ...

    def wait(self, stream: int) -> None:
        """Block, with the GIL released, until all that was queued is done.

        Raises:
            EngineError: something of it failed.
        """
        ...

    def enter(self) -> None:
        """Make this GPU the one that the calling thread speaks to; before any other library is called."""
        ...

    def release(self) -> None:
        """Free everything that was made; nothing of it may be in use. Twice is allowed."""
        ...


class BoundCuda:
    """A GPU through `cuda-bindings`. See Cuda."""

    def __init__(self, number: int = 0) -> None:
        """Open GPU `number`.

        Raises:
            ConfigError: `cuda-bindings`, the driver or the GPU is not there.
        """
        self._runtime, self._number = _bindings(), number
        self._graphs: list[int] = []
        self._streams: list[int] = []
        self._device: list[int] = []
        self._host: list[int] = []
        try:
            count = self._call("cudaGetDeviceCount")
        except EngineError as error:
            raise ConfigError(f"no NVIDIA GPU can be used: {error}") from error
        if number >= count:
            raise ConfigError(f"there is no GPU {number}: this machine has {count}")
        self.gpu = self._described()

    def enter(self) -> None:
        """See Cuda.enter."""
        self._call("cudaSetDevice", self._number)

    def stream(self) -> int:
        """See Cuda.stream."""
        self.enter()
        self._streams.append(int(self._call("cudaStreamCreateWithFlags", self._runtime.cudaStreamNonBlocking)))
        return self._streams[-1]

    def reserve(self, size: int) -> int:
        """See Cuda.reserve."""
        self.enter()
        self._device.append(int(self._call("cudaMalloc", max(size, 1))))
        self._call("cudaMemset", self._device[-1], 0, size)
        return self._device[-1]

    def pin(self, size: int) -> NDArray[np.uint8]:
        """See Cuda.pin."""
        self.enter()
        self._host.append(int(self._call("cudaHostAlloc", max(size, 1), self._runtime.cudaHostAllocDefault)))
        array = np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(self._host[-1]))
        array[:] = 0
        return array

    def copy_in(self, target: int, source: NDArray[np.uint8], stream: int) -> None:
        """See Cuda.copy_in."""
        kind = self._runtime.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._call("cudaMemcpyAsync", target, source.ctypes.data, source.nbytes, kind, stream)

    def copy_out(self, target: NDArray[np.uint8], source: int, stream: int) -> None:
        """See Cuda.copy_out."""
        kind = self._runtime.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._call("cudaMemcpyAsync", target.ctypes.data, source, target.nbytes, kind, stream)

    def record(self, stream: int, work: Callable[[], None]) -> int:
        """See Cuda.record. Other threads may use the GPU meanwhile."""
        mode = self._runtime.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        self._call("cudaStreamBeginCapture", stream, mode)
        try:
            work()
        except BaseException:
            with suppress(EngineError):  # the first error tells more
                self._call("cudaStreamEndCapture", stream)
            raise
        graph = self._call("cudaStreamEndCapture", stream)
        try:
            self._graphs.append(int(self._call("cudaGraphInstantiate", graph, 0)))
        finally:
            self._call("cudaGraphDestroy", graph)
        return self._graphs[-1]

    def launch(self, graph: int, stream: int) -> None:
        """See Cuda.launch."""
        self._call("cudaGraphLaunch", graph, stream)

    def wait(self, stream: int) -> None:
        """See Cuda.wait."""
        self._call("cudaStreamSynchronize", stream)

    def release(self) -> None:
        """See Cuda.release."""
        self.enter()
        kinds = (
            ("cudaGraphExecDestroy", self._graphs),
            ("cudaStreamDestroy", self._streams),
            ("cudaFree", self._device),
            ("cudaFreeHost", self._host),
        )
        for name, made in kinds:
            while made:
                self._call(name, made.pop())

    def _described(self) -> Gpu:
        found = self._call("cudaGetDeviceProperties", self._number)
        cuda = int(self._call("cudaDriverGetVersion"))
        capability = f"{found.major}.{found.minor}"
        return Gpu(found.name.decode(), capability, _driver_version(), f"{cuda // 1000}.{cuda % 1000 // 10}")

    def _call(self, name: str, *given: object) -> Any:  # noqa: ANN401 - what comes back depends on the function
        """Call a function of the CUDA runtime, and return what it gives."""
        status, *found = getattr(self._runtime, name)(*given)
        if int(status):
            text = self._runtime.cudaGetErrorString(status)[1].decode()
            memory = status == self._runtime.cudaError_t.cudaErrorMemoryAllocation
            raise (OutOfMemory if memory else EngineError)(f"{text} ({name})")
        return found[0] if found else None


def _bindings() -> ModuleType:
    try:
        from cuda.bindings import runtime
    except ImportError as error:
        raise ConfigError(f"an NVIDIA GPU needs cuda-bindings: {error}; see docs/gpu.md") from error
    found: ModuleType = runtime
    return found


def _driver_version() -> str:
    """Return the version that `nvidia-smi` shows; `unknown` where NVIDIA's management library is missing."""
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:  # noqa: BLE001 - an absent package, an absent library and its own errors mean the same here
        return "unknown"
    version = pynvml.nvmlSystemGetDriverVersion()
    pynvml.nvmlShutdown()
    return version if isinstance(version, str) else version.decode()
