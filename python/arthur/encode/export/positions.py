"""Scales the learned positions of patches to another number of patches, as `torch` interpolates pictures."""

from __future__ import annotations

from math import isqrt

import numpy as np
from numpy.typing import NDArray

from arthur.encode.export.graph import Weight
from arthur.errors import EngineError

_SHARP, _SMOOTH = -0.75, -0.5
"""The cubic's parameter: `torch` takes another one where it smooths."""
_REACH = 2
"""Samples to each side that a cubic sees."""


def scaled_positions(positions: Weight, edge: int, *, smooth: bool) -> Weight:
    """Scale (rows * rows, width) positions to (edge * edge, width) with a bicubic, computed in float64.

    `smooth` widens the filter when it shrinks, as `antialias` of `torch` does.

    Raises:
        EngineError: the positions are not those of a square.
    """
    rows = isqrt(len(positions))
    if rows * rows != len(positions):
        raise EngineError(f"{len(positions)} positions of patches are not those of a square picture")
    if rows == edge:
        return positions
    matrix = _matrix(rows, edge, smooth=smooth)
    square = positions.reshape(rows, rows, -1).astype(np.float64)
    scaled: Weight = np.einsum("ai,bj,ijw->abw", matrix, matrix, square, optimize=True).astype(np.float32)
    return scaled.reshape(edge * edge, -1)


def _matrix(source: int, target: int, *, smooth: bool) -> NDArray[np.float64]:
    """Return the (target, source) matrix that scales one axis; each row sums to one."""
    step = source / target
    centers = (np.arange(target) + 0.5) * step - 0.5
    if smooth:
        wide = max(step, 1.0)
        distances = (np.arange(source)[None] - centers[:, None]) / wide
        weights = _cubic(distances, _SMOOTH)
        shares: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
        return shares
    matrix = np.zeros((target, source))
    first = np.floor(centers).astype(np.int64)
    for offset in range(1 - _REACH, _REACH + 1):
        places = np.clip(first + offset, 0, source - 1)  # beyond the edge its last sample goes on
        np.add.at(matrix, (np.arange(target), places), _cubic(first + offset - centers, _SHARP))
    return matrix


def _cubic(distances: NDArray[np.float64], a: float) -> NDArray[np.float64]:
    """Return the weight of samples at those distances."""
    x = np.abs(distances)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    weights: NDArray[np.float64] = np.where(x <= 1, near, np.where(x < _REACH, far, 0.0))
    return weights
