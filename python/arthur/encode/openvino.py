"""One graph in OpenVINO on the CPU, in bfloat16: of use where the CPU multiplies tiles of it."""

from __future__ import annotations

from threading import Lock

import numpy as np

from arthur.encode.folder import EngineFolder
from arthur.encode.session import first_line
from arthur.errors import ConfigError, EngineError
from arthur.types import Pixels, Vectors

_INPUT, _OUTPUT = "pixels", "vectors"


def has_bf16_tiles(flags: frozenset[str]) -> bool:
    """Whether the CPU multiplies tiles of bfloat16, without which bfloat16 is no faster than int8."""
    return "amx_bf16" in flags


def openvino_version() -> str | None:
    """Return the version of the installed OpenVINO; None where there is none."""
    try:
        from openvino import __version__
    except ImportError:
        return None
    return str(__version__).partition("-")[0]


class OpenVinoSession:
    """The image graph of an engine. Callable from any thread; calls run one after the other."""

    def __init__(self, folder: EngineFolder, *, threads: int) -> None:
        """Load the graph, whose files were checked; `threads` 0 leaves the number to OpenVINO.

        Raises:
            ConfigError: OpenVINO is not installed.
            EngineError: it cannot run the graph.
        """
        self._name, path = folder.facts.name, folder.path / folder.facts.image.file
        try:
            from openvino import Core, Type
        except ImportError as error:
            raise ConfigError("bf16 needs OpenVINO: pip install 'arthur-imgreco[openvino]'") from error
        settings = {"INFERENCE_PRECISION_HINT": Type.bf16, "PERFORMANCE_HINT": "LATENCY"}
        limit = {"INFERENCE_NUM_THREADS": threads} if threads else {}
        try:
            compiled = Core().compile_model(str(path), "CPU", {**settings, **limit})
            self._request = compiled.create_infer_request()
        except RuntimeError as error:
            raise EngineError(f"engine {self._name}: OpenVINO cannot run {path}: {first_line(error)}") from error
        self._lock = Lock()

    def run(self, pixels: Pixels) -> Vectors:
        """Return the vectors of `(n, side, side, 3)` uint8 squares.

        Raises:
            EngineError: the graph failed, or gave a vector that is not finite.
        """
        with self._lock:
            try:
                found = self._request.infer({_INPUT: np.ascontiguousarray(pixels)})[_OUTPUT]
            except RuntimeError as error:
                raise EngineError(f"engine {self._name} failed in OpenVINO: {first_line(error)}") from error
            vectors = np.array(found, np.float32)  # a copy: the request writes into the same place again
        if not np.isfinite(vectors).all():
            raise EngineError(f"engine {self._name} gave a vector that is not finite")
        return vectors
