"""What can run an engine's image graph on this CPU, and in which precision."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from arthur.encode.folder import EngineFolder
from arthur.encode.golden import golden_distance, load_golden
from arthur.encode.openvino import OpenVinoSession, has_bf16_tiles, openvino_version
from arthur.encode.session import Session, pixels_form
from arthur.encode.spec import Variant
from arthur.errors import EngineError
from arthur.types import Pixels, Vectors


class Runner(Protocol):
    """An opened graph. Callable from any thread."""

    def run(self, pixels: Pixels) -> Vectors:
        """Return the vectors of `(n, side, side, 3)` uint8 squares.

        Raises:
            EngineError: the graph failed, or gave a vector that is not finite.
        """
        ...


def open_runner(folder: EngineFolder, precision: Variant, *, threads: int) -> Runner:
    """Open the image graph in that precision; `threads` 0 is one per usable core.

    Raises:
        ConfigError: what runs it is not installed.
        EngineError: the engine has no such graph, or a file was changed.
        EngineMismatch: the graph is not what `engine.toml` promises.
    """
    facts = folder.facts
    if precision == "bf16":
        folder.checked(facts.image)
        return OpenVinoSession(folder, threads=threads)
    graph = facts.image if precision == "fp32" else facts.image.int8
    if graph is None:
        raise EngineError(f"engine {facts.name} has no int8 graph; `arthur engines build {facts.name}` makes one")
    folder.checked(graph)
    return Session(folder, graph, pixels_form(facts), threads=threads)


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


def runtime_of(precision: Variant) -> str:
    """Return name and version of what runs that precision."""
    if precision == "bf16":
        return f"openvino {openvino_version()}"
    from onnxruntime import __version__

    return f"onnxruntime {__version__}"


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
