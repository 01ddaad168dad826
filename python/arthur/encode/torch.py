"""Runs an engine in torch: the reference for other runtimes of a GPU, and what serves where they are missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import onnx
import torch
from torch import Tensor

from arthur.encode.cuda import OutOfMemory
from arthur.encode.export.typed import typed
from arthur.encode.folder import EngineFolder
from arthur.encode.ladder import rung, rungs
from arthur.encode.pool import Pool
from arthur.encode.session import first_line
from arthur.encode.spec import Variant
from arthur.encode.targets import Target
from arthur.encode.torch_graph import TorchGraph
from arthur.errors import ConfigError, EngineError
from arthur.types import Pixels, Vectors

Module: TypeAlias = Callable[[Tensor], Tensor]
"""`(n, side, side, 3)` uint8 to `(n, dim)` float32, both on one device."""

_WARM_UPS = 3


def torch_module(folder: EngineFolder, precision: Variant, *, device: str) -> TorchGraph:
    """Load the image graph as a module on `device`, as in `cpu` or `cuda:0`.

    Raises:
        ConfigError: torch has no such precision.
        EngineError: the graph cannot be read, or has an operator that is not known here.
        OutOfMemory: it does not fit into the GPU.
    """
    model = onnx.load(folder.checked(folder.facts.image))
    if precision == "fp16" or precision == "bf16":
        model = typed(model, precision)
    elif precision != "fp32":
        raise ConfigError(f"torch runs fp32, fp16 and bf16, not {precision}")
    module = TorchGraph(model).eval()
    try:
        module.to(device)
    except torch.OutOfMemoryError as error:
        raise OutOfMemory(f"engine {folder.facts.name} does not fit into the GPU: {first_line(error)}") from error
    except RuntimeError as error:
        raise ConfigError(f"torch cannot use {device}: {first_line(error)}") from error
    return module  # type: ignore[no-any-return]  # torch is not installed where types are checked


class TorchRunner:
    """A module on a GPU or the CPU. See GpuRunner.

    On a GPU each batch size is recorded as a CUDA graph when it comes first, unless `eager`. A batch for which memory
    is short is halved until it fits.
    """

    def __init__(self, module: Module, folder: EngineFolder, *, target: Target, eager: bool = False) -> None:
        """Run `module`, which lives on the target's device, in as many lanes as that has; `eager` in one."""
        recorded = target.gpu is not None and not eager
        lanes = [
            _Lane(module, folder.facts.side, target.device, target.batch_max, recorded=recorded)
            for _ in range(1 if eager else target.lanes)
        ]
        self._pool = Pool(lanes, name=folder.facts.name, batch_max=target.batch_max)

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


class _Lane:
    """Pinned buffers and a stream, or on the CPU nothing but the module. Used by one thread at a time."""

    def __init__(self, module: Module, side: int, device: str, batch_max: int, *, recorded: bool) -> None:
        self._module, self._device, self._recorded = module, torch.device(device), recorded
        self._sizes = rungs(batch_max)
        self._graphs: dict[int, tuple[torch.cuda.CUDAGraph, Tensor]] = {}
        if self._device.type == "cuda":
            self._stream = torch.cuda.Stream(self._device)
            self._pinned = torch.zeros((batch_max, side, side, 3), dtype=torch.uint8, pin_memory=True)
            self._given = torch.zeros_like(self._pinned, device=self._device)

    def run(self, pixels: Pixels) -> Vectors:
        """Return the vectors of at most `batch_max` pictures, in halves where memory is short.

        Raises:
            OutOfMemory: there is no room for one picture.
            EngineError: torch failed.
        """
        try:
            return self._at_once(pixels)
        except torch.OutOfMemoryError as error:
            if len(pixels) == 1:
                raise OutOfMemory("the GPU has no room for one picture") from error
        except RuntimeError as error:
            raise EngineError(f"torch: {first_line(error)}") from error
        middle = len(pixels) // 2
        return np.concatenate([self.run(pixels[:middle]), self.run(pixels[middle:])])

    def _at_once(self, pixels: Pixels) -> Vectors:
        with torch.inference_mode():
            if self._device.type == "cpu":
                return _array(self._module(torch.from_numpy(np.ascontiguousarray(pixels))))
            with torch.cuda.device(self._device), torch.cuda.stream(self._stream):
                return self._on_gpu(pixels)

    def _on_gpu(self, pixels: Pixels) -> Vectors:
        count = len(pixels)
        size = rung(self._sizes, count) if self._recorded else count
        self._pinned[:count].copy_(torch.from_numpy(np.ascontiguousarray(pixels)))
        self._given[:size].copy_(self._pinned[:size], non_blocking=True)
        if self._recorded:
            if size not in self._graphs:
                self._graphs[size] = self._record(size)
            graph, found = self._graphs[size]
            graph.replay()
        else:
            found = self._module(self._given[:size])
        return _array(found[:count].cpu())

    def _record(self, size: int) -> tuple[torch.cuda.CUDAGraph, Tensor]:
        """Record one batch size, after runs in which libraries set themselves up."""
        for _ in range(_WARM_UPS):
            self._module(self._given[:size])
        self._stream.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
            found = self._module(self._given[:size])
        return graph, found


def _array(vectors: Tensor) -> Vectors:
    found: Vectors = vectors.numpy().astype(np.float32, copy=False)
    return found
