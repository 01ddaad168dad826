"""Chooses what runs an engine: the best runtime that is installed for the GPU of this machine, or else its CPU."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from arthur.encode.spec import Variant
from arthur.errors import ConfigError
from arthur.types import Runtime, WantedRuntime

ON_GPU: tuple[Runtime, ...] = ("tensorrt", "torch-tensorrt", "torch", "onnx")
"""Best first."""
ON_CPU: tuple[Runtime, ...] = ("onnx", "openvino", "torch")
_PACKAGES: Mapping[Runtime, tuple[str, ...]] = MappingProxyType(
    {
        "onnx": ("onnxruntime",),
        "openvino": ("openvino",),
        "tensorrt": ("tensorrt", "tensorrt_rtx_bindings"),
        "torch-tensorrt": ("torch_tensorrt",),
        "torch": ("torch",),
    }
)


@dataclass(frozen=True, slots=True)
class Target:
    """Where an engine runs.

    Attributes:
        runtime: what runs it.
        device: `cpu`, or `cuda:0` and so on.
        batch_max: pictures in one run at most.
        plans: folder of what was compiled; None is beside the engine.
        streams: batches that run at a time; None is what is usual there.
    """

    runtime: Runtime
    device: str = "cpu"
    batch_max: int = 8
    plans: Path | None = None
    streams: int | None = None

    @property
    def gpu(self) -> int | None:
        """Number of the GPU; None on the CPU."""
        return int(self.device.partition(":")[2]) if self.device.startswith("cuda:") else None

    @property
    def precision(self) -> Variant:
        """What runs where nothing was chosen by `arthur engines build`."""
        if self.runtime == "openvino":
            return "bf16"
        return "fp32" if self.gpu is None or self.runtime == "onnx" else "fp16"

    @property
    def lanes(self) -> int:
        """How many batches run at once: on a GPU usually two, the copies of one while another computes."""
        return self.streams or (1 if self.gpu is None or self.runtime == "onnx" else 2)

    @property
    def planned(self) -> bool:
        """Whether the engine is compiled before it runs."""
        return self.runtime in ("tensorrt", "torch-tensorrt")


class Machine(Protocol):
    """What can be known of a machine without loading anything large."""

    def gpus(self) -> int:
        """Count the GPUs that the NVIDIA driver shows; 0 without one."""
        ...

    def has(self, runtime: Runtime, *, gpu: bool) -> bool:
        """Whether a runtime is installed, in a form that uses the GPU."""
        ...


class ThisMachine:
    """The machine this runs on. See Machine."""

    def gpus(self) -> int:
        """See Machine.gpus."""
        try:
            driver = ctypes.CDLL("libcuda.so.1")
        except OSError:
            return 0
        count = ctypes.c_int()
        works = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
        return count.value if works else 0

    def has(self, runtime: Runtime, *, gpu: bool) -> bool:
        """See Machine.has."""
        there = any(find_spec(package) for package in _PACKAGES[runtime])
        if not (gpu and there):
            return there
        if runtime == "tensorrt":
            return _has_bindings()
        return runtime != "onnx" or _has_cuda_provider()


def choose(wanted: WantedRuntime, device: str, machine: Machine) -> tuple[Target, str]:
    """Return where an engine is to run, and why there.

    Args:
        wanted: a runtime, or auto for the best that is there.
        device: `cpu`, `cuda` for the first GPU, `cuda:N`, or auto for a GPU where there is one.
        machine: what is installed.

    Raises:
        ConfigError: that runtime does not run there, is not installed, or there is no such GPU; says which.
    """
    gpu = _gpu(wanted, device, machine)
    order = ON_CPU if gpu is None else ON_GPU
    place = "cpu" if gpu is None else f"cuda:{gpu}"
    if wanted == "auto":
        best = "onnx" if gpu is None else next((one for one in order if machine.has(one, gpu=True)), None)
        if best is None and device == "auto":
            return Target("onnx"), "a GPU is there, but no runtime for it is installed"
        if best is None:
            raise ConfigError(f"no runtime for {place} is installed: one of {', '.join(order)}; see docs/gpu.md")
        return Target(best, place), "no GPU is there" if gpu is None else f"the best of {', '.join(order)} here"
    if wanted not in order:
        raise ConfigError(f"runtime {wanted} does not run on {place}; what does: {', '.join(order)}")
    if not machine.has(wanted, gpu=gpu is not None):
        raise ConfigError(f"runtime {wanted} is not installed for {place}; see docs/gpu.md")
    return Target(wanted, place), "it was asked for"


def require(package: str) -> None:
    """Refuse to go on without a package.

    Raises:
        ConfigError: it is not installed.
    """
    if find_spec(package) is None:
        raise ConfigError(f"the package {package} is not installed; see docs/gpu.md")


def _gpu(wanted: WantedRuntime, device: str, machine: Machine) -> int | None:
    """Return the number of the GPU to use; None is the CPU."""
    if device == "cpu":
        return None
    kind, _, digits = device.partition(":")
    if kind not in ("auto", "cuda") or not (digits or "0").isdigit() or (kind == "auto" and digits):
        raise ConfigError(f"device {device!r} is none of auto, cpu, cuda, cuda:0 and so on")
    count, number = machine.gpus(), int(digits or 0)
    needed = kind == "cuda" or wanted in ("tensorrt", "torch-tensorrt")
    if number >= count and needed:
        raise ConfigError(f"GPU {number} was asked for, but the NVIDIA driver shows {count}; see docs/gpu.md")
    return number if count and wanted != "openvino" else None


def _has_bindings() -> bool:
    try:
        return find_spec("cuda.bindings") is not None
    except ModuleNotFoundError:
        return False


def _has_cuda_provider() -> bool:
    from onnxruntime import get_available_providers

    return "CUDAExecutionProvider" in get_available_providers()
