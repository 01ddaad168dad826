"""What was learned about local features: how patches are described, stored and turned into visual words."""

from __future__ import annotations

from pathlib import Path

import blake3
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from arthur import _native
from arthur.errors import StoreError

SHIPPED = Path(__file__).with_name("vocabulary.safetensors")

_DIM = 64
_UNIT = 160
_SHAPES = {
    "mean": ((128,), "float32"),
    "projection": ((128, _DIM), "float32"),
    "levels": ((_DIM, 16), "int8"),
    "flips": ((2, _DIM), "int8"),
    "branches": ((256, _DIM), "int8"),
    "leaves": ((65_536, _DIM // 4), "uint8"),
    "step": ((1,), "int8"),
}


class Vocabulary:
    """A learned description of patches with 65,536 visual words. Immutable, so any thread may use it."""

    def __init__(self, path: Path = SHIPPED) -> None:
        """Read the file that `engines/local_features/train.py` writes.

        Raises:
            StoreError: the file is missing or damaged.
        """
        try:
            data = path.read_bytes()
            tensors = load(data)
        except (OSError, SafetensorError) as error:
            raise StoreError(f"the vocabulary of local features {path.name} cannot be read: {error}") from error
        if {name: (tensor.shape, str(tensor.dtype)) for name, tensor in tensors.items()} != _SHAPES:
            raise StoreError(f"the vocabulary of local features {path.name} is damaged")
        self.digest = blake3.blake3(data).hexdigest()
        self._levels = tensors["levels"]
        self._nearest = _nearest_levels(self._levels)
        self._native = _native.Vocabulary(
            mean=tensors["mean"],
            projection=tensors["projection"],
            branches=tensors["branches"],
            leaves=tensors["leaves"],
            step=int(tensors["step"][0]),
            flips=tensors["flips"],
        )

    def describe(self, histograms: NDArray[np.uint8]) -> NDArray[np.int8]:
        """Describe (n, 128) SIFT histograms as (n, 64) unit vectors times 160."""
        return self._native.describe(histograms)

    def words(self, patches: NDArray[np.int8], count: int) -> NDArray[np.uint16]:
        """Return the (n, count) nearest words of (n, 64) patches, nearest first; `count` is 1 to 256."""
        return self._native.words(patches, count)

    def signatures(self, patches: NDArray[np.int8], words: NDArray[np.uint16]) -> NDArray[np.uint64]:
        """Return (n, a): on which side of each of its (n, a) words each of (n, 64) patches lies, in 64 directions."""
        return self._native.signatures(patches, words)

    def code(self, patches: NDArray[np.int8]) -> NDArray[np.uint8]:
        """Return (n, 64) patches as (n, 32) bytes: the nearest of 16 levels for each value."""
        levels = self._nearest[np.arange(_DIM), patches.view(np.uint8)]
        return np.bitwise_or(levels[:, 0::2], np.left_shift(levels[:, 1::2], 4), dtype=np.uint8)

    def decode(self, codes: NDArray[np.uint8]) -> NDArray[np.int8]:
        """Return the (n, 64) patches that (n, 32) codes stand for, made unit vectors times 160 again."""
        levels = np.empty((len(codes), _DIM), np.uint8)
        levels[:, 0::2], levels[:, 1::2] = codes & 15, codes >> 4
        rows = self._levels[np.arange(_DIM), levels].astype(np.float32)
        lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows))
        rows *= (_UNIT / np.maximum(lengths, 1))[:, None]
        return np.clip(np.rint(rows), -127, 127).astype(np.int8)


def _nearest_levels(levels: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Return (64, 256): for each direction and each value, seen as uint8, the number of the nearest level."""
    values = np.arange(256, dtype=np.uint8).view(np.int8).astype(np.int16)
    nearest: NDArray[np.intp] = np.abs(levels.astype(np.int16)[:, :, None] - values).argmin(axis=1)
    return nearest.astype(np.uint8)
