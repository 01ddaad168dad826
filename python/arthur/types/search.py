"""What an index is asked and what it answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arthur.errors import BadRequest
from arthur.types.names import Keys


@dataclass(frozen=True, slots=True)
class Neighbors:
    """Answer of an index: for each query row the best `k` keys, best first.

    Attributes:
        keys: (n, k) int64, padded with -1 where fewer than `k` were found.
        scores: (n, k) float32 cosine similarity or votes, padded with -inf.
    """

    keys: Keys
    scores: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class LocalQuery:
    """Local features of a photo, as a local index looks for them: n features with `a` nearest visual words each.

    Attributes:
        words: (n, a) uint16, nearest first; 1 to 8 of them.
        signatures: (n, a) uint64 binary signatures, each relative to its word.
        points: (n, 2) float32 x and y, pixels.
        scales: (n,) float32 sizes, pixels.
        angles: (n,) float32 radians, from the x axis towards the y axis, which points down.
    """

    words: NDArray[np.uint16]
    signatures: NDArray[np.uint64]
    points: NDArray[np.float32]
    scales: NDArray[np.float32]
    angles: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Refuse arrays that disagree.

        Raises:
            BadRequest: a shape or a type is not the promised one, a number is not finite, or a scale not positive.
        """
        n, a = self.words.shape if self.words.ndim == 2 else (-1, 0)
        places = [self.points, self.scales, self.angles]
        shapes = [self.words.shape, self.signatures.shape, *(part.shape for part in places)]
        if shapes != [(n, a), (n, a), (n, 2), (n,), (n,)] or not 1 <= a <= 8 or n > 4096:
            raise BadRequest("the arrays of a local query must be of the same length, with 1 to 8 words a feature")
        types = [self.words.dtype, self.signatures.dtype, *(part.dtype for part in places)]
        if types != [np.uint16, np.uint64, np.float32, np.float32, np.float32]:
            raise BadRequest("the arrays of a local query must be uint16, uint64 and float32")
        if not all(np.isfinite(part).all() for part in places) or not (self.scales > 0).all():
            raise BadRequest("points, scales and angles of a local query must be finite, and scales positive")

    def __len__(self) -> int:
        """Number of features."""
        return len(self.scales)


@dataclass(frozen=True, slots=True)
class Filter:
    """Restricts a search to views of these artists, given by their catalog numbers. Empty matches nothing."""

    artists: tuple[int, ...]
