"""What can run an engine's image graph on this machine, and in which precision."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Protocol

from arthur.encode.folder import EngineFolder
from arthur.encode.golden import golden_distance, load_golden
from arthur.encode.openvino import OpenVinoSession, has_bf16_tiles, openvino_version
from arthur.encode.session import Session, pixels_form
from arthur.encode.spec import Variant
from arthur.encode.targets import Target, require
from arthur.errors import ConfigError, EngineError
from arthur.types import Pixels, Vectors


class Runner(Protocol):
    """An opened graph. Callable from any thread."""

    def run(self, pixels: Pixels) -> Vectors:
        """Return the vectors of `(n, side, side, 3)` uint8 squares.

        Raises:
            EngineError: the graph failed, or gave a vector that is not finite.
        """
        ...


class GpuRunner(Runner, Protocol):
    """A graph that holds memory of a GPU."""

    @property
    def parallel(self) -> int:
        """How many calls run at once: the copies of one while another computes."""
        ...

    def close(self) -> None:
        """Free the GPU's memory when calls in flight have ended; nothing may be run after that."""
        ...


def open_runner(folder: EngineFolder, precision: Variant, *, threads: int, target: Target | None = None) -> Runner:
    """Open the image graph in that precision; `threads` 0 is one per usable core.

    `target` None is the CPU, in what runs that precision there. What has to be compiled, and was not yet, is now.

    Raises:
        ConfigError: what runs it is not installed.
        EngineError: the engine has no such graph, or a file was changed.
        EngineMismatch: the graph is not what `engine.toml` promises.
    """
    if target is not None and (target.gpu is not None or target.runtime == "torch"):
        return _open_on(folder, precision, target, threads=threads)
    facts = folder.facts
    if precision in ("fp16", "fp8"):
        raise ConfigError(f"{precision} runs on a GPU only; name what is to run it there, as in --runtime tensorrt")
    if precision == "bf16":
        folder.checked(facts.image)
        return OpenVinoSession(folder, threads=threads)
    graph = facts.image if precision == "fp32" else facts.image.int8
    if graph is None:
        raise EngineError(f"engine {facts.name} has no int8 graph; `arthur engines build {facts.name}` makes one")
    folder.checked(graph)
    return Session(folder, graph, pixels_form(facts), threads=threads)


def _open_on(folder: EngineFolder, precision: Variant, target: Target, *, threads: int) -> Runner:
    """Open the image graph on a GPU, or in torch."""
    if target.planned:
        from arthur.encode.compiled import opened

        return opened(folder, precision, target)
    if target.runtime == "torch":
        require("torch")
        from arthur.encode.torch import TorchRunner, torch_module

        module = torch_module(folder, precision, device=target.device)
        return TorchRunner(module, folder, target=target)
    if precision != "fp32":
        raise ConfigError(f"ONNX Runtime on a GPU runs fp32 here, not {precision}")
    graph = folder.facts.image
    folder.checked(graph)
    return Session(folder, graph, pixels_form(folder.facts), threads=threads, gpu=target.gpu)


def close_runner(runner: Runner) -> None:
    """Free what a runner holds; one on the CPU holds nothing."""
    close = getattr(runner, "close", None)
    if close is not None:
        close()


def is_faster(precision: Variant, flags: frozenset[str]) -> bool:
    """Whether the CPU has what makes that precision faster than the full one."""
    return precision == "fp32" or (has_int8_dots(flags) if precision == "int8" else has_bf16_tiles(flags))


def has_int8_dots(flags: frozenset[str]) -> bool:
    """Whether the CPU multiplies int8 in one instruction, without which a quantised graph is no faster."""
    return bool(flags & {"avx512_vnni", "avx_vnni"})


def distance(runner: Runner, folder: EngineFolder) -> float:
    """Return the largest 1 - cosine to the engine's golden vectors; 0 where it has none.

    Raises:
        EngineError: they cannot be read, or the graph failed.
    """
    facts = folder.facts
    if facts.golden is None:
        return 0.0
    golden = load_golden(folder.path / facts.golden.file, facts=facts)
    return golden_distance(runner.run, golden)


def runtime_of(precision: Variant, target: Target | None = None) -> str:
    """Return name and version of what runs that precision."""
    if target is not None and target.runtime == "tensorrt":
        from arthur.encode.tensorrt import installed

        return installed().name
    if target is not None and target.runtime == "torch-tensorrt":
        return _version("torch_tensorrt")
    if target is not None and target.runtime == "torch":
        return _version("torch")
    if precision == "bf16":
        return f"openvino {openvino_version()}"
    return _version("onnxruntime")


def _version(module: str) -> str:
    """Return name and version of a package that is installed."""
    return f"{module.replace('_', '-')} {import_module(module).__version__}"


def machine_flags() -> frozenset[str]:
    """Read the CPU's features; none where the system does not tell."""
    return frozenset(_cpu("flags").split())


def cpu_model() -> str:
    """Read what the CPU calls itself."""
    return _cpu("model name") or "unknown"


def _cpu(key: str) -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.partition(":")[0].strip() == key), "")
