"""Vectors as the catalogue keeps them: little-endian float16, decoded in bulk."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from arthur.errors import BadRequest
from arthur.types import Vectors

__all__ = ["decode_vectors", "encode_vector"]

_STORED = np.dtype("<f2")
_NORM_TOLERANCE = 1e-2


def encode_vector(vector: NDArray[np.float32]) -> bytes:
    """Return the bytes that are kept of a `(dim,)` unit row.

    Raises:
        BadRequest: it is not one finite row of length 1.
    """
    if vector.ndim != 1 or vector.size == 0:
        raise BadRequest("a vector must be one row of numbers")
    norm = float(np.linalg.norm(vector))
    if not abs(norm - 1) <= _NORM_TOLERANCE:
        raise BadRequest("a vector must be finite and of length 1")
    return vector.astype(_STORED).tobytes()


def decode_vectors(blobs: Sequence[bytes], dim: int) -> Vectors:
    """Return `(n, dim)` float32 rows, brought back to length 1, which rounding to float16 changes a little."""
    halves = np.frombuffer(b"".join(blobs), dtype=_STORED).reshape(len(blobs), dim)
    vectors = halves.astype(np.float32)
    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    vectors /= norms[:, np.newaxis]
    return vectors
