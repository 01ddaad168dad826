"""Checks on what callers hand to any index."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from arthur.errors import BadRequest
from arthur.types import Keys

MAX_K = 1000


def numbers(values: ArrayLike, name: str) -> Keys:
    """Return (n,) int64.

    Raises:
        BadRequest: the values are not one row of integers.
    """
    array = np.asarray(values)
    if array.ndim != 1 or not (np.issubdtype(array.dtype, np.integer) or array.size == 0):
        raise BadRequest(f"{name} must be one row of integers")
    return array.astype(np.int64, copy=False)


def check_k(k: int) -> None:
    """Refuse a number of neighbours that no index answers.

    Raises:
        BadRequest: `k` is not 1 to 1000.
    """
    if not 1 <= k <= MAX_K:
        raise BadRequest(f"k must be 1 to {MAX_K}")
