"""One graph in ONNX Runtime: opened with a server's settings, and held to its promised form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from arthur.encode.folder import EngineFolder
from arthur.encode.spec import EngineFile, GraphFile
from arthur.errors import ConfigError, EngineError, EngineMismatch, UnusableEngine
from arthur.processors import usable_cores
from arthur.types import Vectors

_CUDA = "CUDAExecutionProvider"
_FATAL_ONLY = 4
"""ONNX Runtime's log level: what goes wrong comes as an exception, so standard error stays quiet."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a graph takes.

    Attributes:
        name: of its input.
        kind: type of the input, as ONNX Runtime spells it.
        row: shape of one row.
    """

    name: str
    kind: str
    row: tuple[int, ...]


def pixels_form(facts: EngineFile) -> Form:
    """Return what the image tower takes: uint8 (n, side, side, 3)."""
    return Form("pixels", "tensor(uint8)", (facts.side, facts.side, 3))


class Session:
    """An opened graph. Callable from any thread."""

    def __init__(
        self, folder: EngineFolder, graph: GraphFile, form: Form, *, threads: int, gpu: int | None = None
    ) -> None:
        """Load one graph, whose files were checked; `threads` 0 is one per usable core, `gpu` None is the CPU.

        Raises:
            ConfigError: this ONNX Runtime cannot use the GPU.
            UnusableEngine: it is not a graph, or cannot be run.
            EngineMismatch: it does not map what `form` says to `vectors` float32 (n, dim).
        """
        path, self._name, self._input = folder.path / graph.file, folder.facts.name, form.name
        options = _options(threads or usable_cores())
        try:
            self._session = ort.InferenceSession(path, options, providers=_providers(gpu))
        except Exception as error:  # the runtime's exceptions have no base of their own
            raise UnusableEngine(
                f"engine {self._name}: {path} is not a graph that runs: {first_line(error)}"
            ) from error
        if gpu is not None and _CUDA not in self._session.get_providers():
            raise ConfigError("ONNX Runtime cannot use the GPU; it needs onnxruntime-gpu and cuDNN, see docs/gpu.md")
        _check_end(self._session.get_inputs(), form, path)
        _check_end(self._session.get_outputs(), Form("vectors", "tensor(float)", (folder.facts.dim,)), path)

    def run(self, rows: NDArray[np.generic]) -> Vectors:
        """Return the vectors of rows of the promised form.

        Raises:
            EngineError: the graph failed, or gave a vector that is not finite.
        """
        try:
            vectors: Vectors = self._session.run(["vectors"], {self._input: np.ascontiguousarray(rows)})[0]
        except Exception as error:  # the runtime's exceptions have no base of their own
            raise EngineError(f"engine {self._name} failed: {first_line(error)}") from error
        if not np.isfinite(vectors).all():
            raise EngineError(f"engine {self._name} gave a vector that is not finite")
        return vectors


def first_line(error: Exception) -> str:
    """Return the first line of an error's text."""
    return str(error).partition("\n")[0] or type(error).__name__


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


def _providers(gpu: int | None) -> list[str | tuple[str, dict[str, str]]]:
    """Name what runs the graph."""
    return ["CPUExecutionProvider"] if gpu is None else [(_CUDA, {"device_id": str(gpu)}), "CPUExecutionProvider"]


def _check_end(found: Sequence[ort.NodeArg], form: Form, path: Path) -> None:
    """Compare the only input or output of a graph with its name, type and shape; the batch has to be free."""
    wanted = f"{form.name} {form.kind} (n, {', '.join(map(str, form.row))})"
    given = "; ".join(f"{end.name} {end.type} {tuple(end.shape)}" for end in found)
    fits = len(found) == 1 and (found[0].name, found[0].type) == (form.name, form.kind)
    if not fits or tuple(found[0].shape[1:]) != form.row or isinstance(found[0].shape[0], int):
        raise EngineMismatch(f"{path}: engine.toml promises {wanted}, the graph has {given}")
