"""Reads the tensors of a safetensors file as float32, one at a time."""

from __future__ import annotations

from pathlib import Path

import ml_dtypes  # noqa: F401 - makes bfloat16 known to numpy
import numpy as np
from safetensors import SafetensorError, safe_open

from arthur.encode.export.graph import Weight
from arthur.encode.export.spelling import spelling
from arthur.errors import EngineError

_THIRDS = 3


class Weights:
    """An open safetensors file, whose tensors are asked for by Hugging Face's names. Not thread-safe."""

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
        self._place = spelling(self._names)

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def tensor(self, name: str, shape: tuple[int, ...]) -> Weight:
        """Return one tensor as float32.

        Raises:
            EngineError: there is none of that name and shape, or a number in it is not finite.
        """
        found, place = self.shape(name), self._place(name)
        if found != shape:
            raise EngineError(
                f"{self._path}: tensor {place.name} is {found}, not {shape}; another engine.toml describes it"
            )
        stored: Weight = self._file.get_tensor(place.name).astype(np.float32)  # type: ignore[no-untyped-call]
        values = stored if place.third is None else np.split(stored, _THIRDS)[place.third]
        values = values.T if place.turned else values
        if not np.isfinite(values).all():
            raise EngineError(f"{self._path}: tensor {place.name} holds numbers that are not finite")
        return values

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of one tensor.

        Raises:
            EngineError: there is none of that name.
        """
        place = self._place(name)
        if place.name not in self._names:
            raise EngineError(f"{self._path} has no tensor {place.name}; another engine.toml describes it")
        shape = tuple(self._file.get_slice(place.name).get_shape())  # type: ignore[no-untyped-call]
        if place.third is not None and shape and shape[0] % _THIRDS == 0:
            shape = (shape[0] // _THIRDS, *shape[1:])
        return shape[::-1] if place.turned else shape

    def edge(self, name: str, axis: int) -> int:
        """Return the length of one axis of a tensor.

        Raises:
            EngineError: there is no such tensor or axis.
        """
        shape = self.shape(name)
        if not -len(shape) <= axis < len(shape):
            raise EngineError(f"{self._path}: tensor {name} is {shape}; another engine.toml describes it")
        return shape[axis]

    def has(self, name: str) -> bool:
        """Whether there is a tensor of that name."""
        return self._place(name).name in self._names

    def layers(self, path: str) -> int:
        """Count the layers `PATH.0.`, `PATH.1.` and so on."""
        prefix = self._place(f"{path}.").name
        found = {name.removeprefix(prefix).partition(".")[0] for name in self._names if name.startswith(prefix)}
        return len(found)
