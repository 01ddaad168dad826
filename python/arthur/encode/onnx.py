"""The ONNX Runtime adapter: runs an engine's graph on the CPU."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime as ort

from arthur.encode.folder import EngineFolder
from arthur.encode.golden import golden_distance, load_golden, picture
from arthur.encode.spec import EngineFile, EngineSpec, GraphFile, Variant, check_pixels
from arthur.errors import EngineError, EngineMismatch
from arthur.types import Pixels, Vectors

_FATAL_ONLY = 4
"""ONNX Runtime's log level: what goes wrong comes as an exception, so standard error stays quiet."""


class OnnxEncoder:
    """A graph loaded from an engine folder. See Encoder.

    The quantised graph runs where the engine has one, the CPU has int8 dot products, and its golden vectors agree;
    else the full one. A call in flight keeps the graph alive, so `close` neither waits for it nor breaks it.
    """

    def __init__(self, folder: EngineFolder, *, threads: int = 0, cpu_flags: frozenset[str] | None = None) -> None:
        """Load, check and warm up the engine; `threads` 0 is one per usable core.

        `cpu_flags` are the CPU's features as Linux names them; None reads them from this machine.

        Raises:
            EngineError: a file is missing, was changed, is not a graph, or cannot be run.
            EngineMismatch: the graph or its vectors are not those that `engine.toml` promises.
        """
        flags = _cpu_flags() if cpu_flags is None else cpu_flags
        folder.checked(folder.facts.image)  # even if the quantised graph runs: the fingerprint vouches for this one
        spec = folder.spec()
        self._session: ort.InferenceSession | None
        self._session, variant = _open_best(folder, threads=threads or _usable_cores(), flags=flags)
        self._spec = replace(spec, variant=variant)
        self._spec = replace(self._spec, canary=self.encode(picture(spec.side)).tobytes())

    @property
    def spec(self) -> EngineSpec:
        """See Encoder.spec."""
        return self._spec

    def encode(self, pixels: Pixels) -> Vectors:
        """See Encoder.encode."""
        check_pixels(self._spec, pixels)
        session = self._session
        if session is None:
            raise EngineError(f"engine {self._spec.name} is closed")
        return _run(session, pixels, self._spec.name)

    def close(self) -> None:
        """See Encoder.close."""
        self._session = None


def golden_distances(folder: EngineFolder, *, threads: int = 0) -> dict[Variant, float]:
    """Return for each image graph of an engine the largest 1 - cosine to its golden vectors.

    Raises:
        EngineError: a file is missing or unusable, or the engine has no golden vectors.
        EngineMismatch: a graph has another form than `engine.toml` promises.
    """
    facts = folder.facts
    if facts.golden is None:
        raise EngineError(f"engine {facts.name} has no golden vectors to compare with")
    graphs: dict[Variant, GraphFile] = {"fp32": facts.image}
    if facts.image.int8:
        graphs["int8"] = facts.image.int8
    for graph in graphs.values():
        folder.checked(graph)
    threads = threads or _usable_cores()
    return {name: _distance(_open(folder, graph, threads=threads), folder) for name, graph in graphs.items()}


def has_int8_dots(flags: frozenset[str]) -> bool:
    """Whether the CPU multiplies int8 in one instruction, without which a quantised graph is no faster."""
    return bool(flags & {"avx512_vnni", "avx_vnni"})


def _open_best(folder: EngineFolder, *, threads: int, flags: frozenset[str]) -> tuple[ort.InferenceSession, Variant]:
    """Open the quantised graph if it is there, is of use and is right, or else the full one, which has to be right."""
    facts = folder.facts
    quantised = facts.image.int8
    if quantised and facts.golden and has_int8_dots(flags) and (folder.path / quantised.file).is_file():
        folder.checked(quantised)
        session = _open(folder, quantised, threads=threads)
        if _distance(session, folder) <= facts.golden.tolerance:
            return session, "int8"
    session = _open(folder, facts.image, threads=threads)
    if facts.golden and not (distance := _distance(session, folder)) <= facts.golden.tolerance:
        raise EngineMismatch(
            f"engine {facts.name}: its vectors differ from the golden ones by {distance:.2g} (1 - cosine), "
            f"more than {facts.golden.tolerance:g}"
        )
    return session, "fp32"


def _distance(session: ort.InferenceSession, folder: EngineFolder) -> float:
    """Return the largest 1 - cosine to the engine's golden vectors."""
    facts = folder.facts
    if facts.golden is None:
        return 0.0
    golden = load_golden(folder.path / facts.golden.file, facts=facts)
    return golden_distance(lambda pixels: _run(session, pixels, facts.name), golden)


def _open(folder: EngineFolder, graph: GraphFile, *, threads: int) -> ort.InferenceSession:
    """Load one graph, whose files were checked, and compare its input and output with the engine's facts."""
    path = folder.path / graph.file
    try:
        session = ort.InferenceSession(path, _options(threads), providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime's exceptions have no base of their own
        raise EngineError(f"engine {folder.facts.name}: {path} is not a graph that runs: {_line(error)}") from error
    _check_graph(session, folder.facts, path)
    return session


def _options(threads: int) -> ort.SessionOptions:
    """Choose settings for a server: one operator at a time over `threads` threads that sleep when they have no work.

    Memory patterns are off: they are remembered for each batch size, and saved no time but cost 28 MB on a ViT-B/32.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.enable_mem_pattern = False
    options.log_severity_level = _FATAL_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _check_graph(session: ort.InferenceSession, facts: EngineFile, path: Path) -> None:
    """Raise EngineMismatch unless the graph maps `pixels` to `vectors` in the promised form."""
    side, dim = facts.side, facts.dim
    _check_end(session.get_inputs(), "pixels", "tensor(uint8)", (side, side, 3), path)
    _check_end(session.get_outputs(), "vectors", "tensor(float)", (dim,), path)


def _check_end(found: Sequence[ort.NodeArg], name: str, kind: str, row: tuple[int, ...], path: Path) -> None:
    """Compare the only input or output of a graph with its name, type and shape; the batch has to be free."""
    wanted = f"{name} {kind} (n, {', '.join(map(str, row))})"
    given = "; ".join(f"{end.name} {end.type} {tuple(end.shape)}" for end in found)
    fits = len(found) == 1 and (found[0].name, found[0].type) == (name, kind)
    if not fits or tuple(found[0].shape[1:]) != row or isinstance(found[0].shape[0], int):
        raise EngineMismatch(f"{path}: engine.toml promises {wanted}, the graph has {given}")


def _run(session: ort.InferenceSession, pixels: Pixels, name: str) -> Vectors:
    """Run the graph and refuse rows that are not finite."""
    try:
        vectors: Vectors = session.run(["vectors"], {"pixels": np.ascontiguousarray(pixels)})[0]
    except Exception as error:  # the runtime's exceptions have no base of their own
        raise EngineError(f"engine {name} failed: {_line(error)}") from error
    if not np.isfinite(vectors).all():
        raise EngineError(f"engine {name} gave a vector that is not finite")
    return vectors


def _line(error: Exception) -> str:
    """Return the first line of an error's text."""
    return str(error).partition("\n")[0] or type(error).__name__


def _usable_cores() -> int:
    """Count the cores that this process may run on."""
    return len(os.sched_getaffinity(0))


def _cpu_flags() -> frozenset[str]:
    """Read the CPU's features; none where the system does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), []))
