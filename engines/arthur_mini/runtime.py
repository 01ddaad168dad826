"""Runs an exported graph on pictures, for the gates at export and for the evaluation."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from engines.arthur_mini.pool import squash

_BATCH = 32


class Graph:
    """An exported graph in ONNX Runtime on the CPU."""

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.side = int(self._session.get_inputs()[0].shape[1])

    def encode(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Encode squares, uint8 (n, side, side, 3), into unit rows, float32 (n, dim)."""
        parts = [
            np.asarray(self._session.run(["vectors"], {"pixels": pixels[start : start + _BATCH]})[0])
            for start in range(0, len(pixels), _BATCH)
        ]
        return np.concatenate(parts)

    def encode_pictures(self, pictures: Iterable[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Encode pictures of any size, uint8 RGB (height, width, 3) each."""
        return self.encode(np.stack([squash(picture, self.side) for picture in pictures]))
