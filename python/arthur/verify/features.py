"""What geometry knows of a picture: where its local features lie, how large and how turned they are, what they show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Local features of one gray picture, strongest first.

    Attributes:
        width, height: of the picture, pixels.
        points: (n, 2) float32 x, y, pixels.
        scales: (n,) float32 diameter, pixels.
        angles: (n,) float32 radians, as the picture lies.
        patches: (n, 64) int8, each a unit vector times 160: patches that look alike have a high inner product.
    """

    width: int
    height: int
    points: Floats
    scales: Floats
    angles: Floats
    patches: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.points)
