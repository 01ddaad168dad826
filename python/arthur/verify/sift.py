"""SIFT keypoints of a gray picture, and which of them are worth keeping."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arthur import _native

Floats = NDArray[np.float32]

VERSION = "sift-2"
"""To be raised with every change of what is detected or kept: features of different versions match less well."""
LARGEST_SIDE = 1024
"""Of a picture, pixels: the detector needs some 32 bytes a pixel."""


@dataclass(frozen=True, slots=True, eq=False)
class Keypoints:
    """Keypoints of one gray picture, strongest first.

    Attributes:
        width, height: of the picture, pixels.
        points: (n, 2) float32 x, y, pixels.
        scales: (n,) float32 diameter, pixels.
        angles: (n,) float32 radians, 0..2 pi.
        patches: (n, 128) uint8 SIFT histograms.
    """

    width: int
    height: int
    points: Floats
    scales: Floats
    angles: Floats
    patches: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.points)

    def in_picture(self, gray: NDArray[np.uint8]) -> Keypoints:
        """Return them as they lie in the larger picture that this one was made from."""
        height, width = gray.shape
        growth = np.array([width / self.width, height / self.height], np.float32)
        points, scales = self.points * growth, self.scales * np.float32(np.sqrt(growth.prod()))
        return Keypoints(width, height, points, scales, self.angles, self.patches)


def detect(gray: NDArray[np.uint8], count: int, *, kept: int | None = None) -> Keypoints:
    """Return the `count` strongest keypoints of an (h, w) picture; fewer, even none, where it is flat.

    With `kept`, only so many of them, in rounds: the strongest of each cell of a grid, then the second of each, and so
    on. What hides a part of the work, or a photo of a detail, then still leaves some.
    """
    height, width = gray.shape
    return Keypoints(width, height, *_native.keypoints(gray, count, kept=count if kept is None else kept))
