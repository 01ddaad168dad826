"""Reads the tensors of a safetensors file as float32, one at a time."""

from __future__ import annotations

from pathlib import Path

import ml_dtypes  # noqa: F401 - makes bfloat16 known to numpy
import numpy as np
from safetensors import SafetensorError, safe_open

from arthur.encode.export.graph import Weight
from arthur.errors import EngineError


class Weights:
    """An open safetensors file. Not thread-safe."""

    def __init__(self, path: Path) -> None:
        """Open the file; its tensors stay on disk until they are asked for.

        Raises:
            EngineError: it cannot be read or is no safetensors file.
        """
        self._path = path
        try:
            self._file = safe_open(path, framework="numpy")
        except (OSError, SafetensorError) as error:
            raise EngineError(f"{path} is not a safetensors file: {error}") from error
        self._names = frozenset(self._file.keys())  # type: ignore[no-untyped-call]  # safetensors annotates only part of itself

    def tensor(self, name: str, shape: tuple[int, ...]) -> Weight:
        """Return one tensor as float32.

        Raises:
            EngineError: there is none of that name and shape, or a number in it is not finite.
        """
        found = self.shape(name)
        if found != shape:
            raise EngineError(f"{self._path}: tensor {name} is {found}, not {shape}; another engine.toml describes it")
        values: Weight = self._file.get_tensor(name).astype(np.float32)  # type: ignore[no-untyped-call]
        if not np.isfinite(values).all():
            raise EngineError(f"{self._path}: tensor {name} holds numbers that are not finite")
        return values

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of one tensor.

        Raises:
            EngineError: there is none of that name.
        """
        if name not in self._names:
            raise EngineError(f"{self._path} has no tensor {name}; it is not a CLIP with Hugging Face's names")
        return tuple(self._file.get_slice(name).get_shape())  # type: ignore[no-untyped-call]

    def layers(self, prefix: str) -> int:
        """Count the layers `PREFIX.0.`, `PREFIX.1.` and so on."""
        found = {name.removeprefix(prefix + ".").partition(".")[0] for name in self._names if name.startswith(prefix)}
        return len(found)
