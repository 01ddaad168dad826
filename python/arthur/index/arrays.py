"""Checks on the vectors that callers hand to an index."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from arthur.errors import BadRequest
from arthur.types import Vectors

_UNIT_TOLERANCE = 5e-3


def rows(values: ArrayLike, dim: int) -> Vectors:
    """Return (n, dim) float32.

    Raises:
        BadRequest: the values are not rows of `dim` numbers.
    """
    array: NDArray[np.float32] = np.asarray(values, np.float32)
    if array.ndim != 2 or array.shape[1] != dim:
        raise BadRequest(f"vectors must be of shape (n, {dim}), not {array.shape}")
    return array


def check_unit(vectors: Vectors) -> None:
    """Refuse rows that are not finite unit vectors.

    Raises:
        BadRequest: a row is not of length one; the message gives its position.
    """
    off = np.abs(np.linalg.norm(vectors, axis=1) - 1)
    bad = np.flatnonzero(~(off <= _UNIT_TOLERANCE))
    if bad.size:
        raise BadRequest(f"vector {bad[0]} is not a finite unit vector")
