"""SIFT keypoints of a gray picture, by OpenCV, and which of them are worth keeping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Rows = NDArray[np.intp]

VERSION = "sift-1"
"""To be raised with every change of what is detected or kept: features of different versions match less well."""
LARGEST_SIDE = 1024
"""Of a picture, pixels: the detector needs some 230 bytes a pixel."""
_LEAST_SIDE = 16
_OCTAVE_LAYERS = 3
_CONTRAST = 0.01
"""A third of the usual: soft and dark paintings have nothing stronger; where there is more, the strongest win."""
_EDGE = 12
_SIGMA = 1.6
_CELLS = 5


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

    def take(self, which: Rows) -> Keypoints:
        """Return some of the keypoints, in that order."""
        kept = self.points[which], self.scales[which], self.angles[which], self.patches[which]
        return Keypoints(self.width, self.height, *kept)

    def in_picture(self, gray: NDArray[np.uint8]) -> Keypoints:
        """Return them as they lie in the larger picture that this one was made from."""
        height, width = gray.shape
        growth = np.array([width / self.width, height / self.height], np.float32)
        points, scales = self.points * growth, self.scales * np.float32(np.sqrt(growth.prod()))
        return Keypoints(width, height, points, scales, self.angles, self.patches)


def detect(gray: NDArray[np.uint8], count: int) -> Keypoints:
    """Return the `count` strongest keypoints of an (h, w) picture; fewer, even none, where it is flat."""
    height, width = gray.shape
    found: Sequence[cv2.KeyPoint] = ()
    patches = np.empty((0, 128), np.uint8)
    if min(width, height) >= _LEAST_SIDE:
        # a detector is cheap to make, and not safe to share between threads
        detector = cv2.SIFT.create(count, _OCTAVE_LAYERS, _CONTRAST, _EDGE, _SIGMA, cv2.CV_8U, True)
        found, described = detector.detectAndCompute(np.ascontiguousarray(gray), None)
        patches = np.asarray(described, np.uint8) if found else patches  # OpenCV describes no keypoints as None
    rows = np.array([(*one.pt, one.size, one.angle, one.response) for one in found], np.float32).reshape(-1, 5)
    order = np.argsort(-rows[:, 4], kind="stable")[:count]
    rows = rows[order]
    points = np.clip(rows[:, :2], 0, (width, height)).astype(np.float32)
    return Keypoints(width, height, points, rows[:, 2], np.deg2rad(rows[:, 3]), patches[order])


def spread(keypoints: Keypoints, count: int) -> Keypoints:
    """Return `count` keypoints, in rounds: the strongest of each cell of a grid, then the second of each, and so on.

    What hides a part of the work, or a photo of a detail, then still leaves some.
    """
    cells = np.minimum(keypoints.points / (keypoints.width, keypoints.height) * _CELLS, _CELLS - 1).astype(np.intp)
    cell = cells[:, 0] * _CELLS + cells[:, 1]
    by_cell = np.argsort(cell, kind="stable")
    first = np.searchsorted(cell[by_cell], np.arange(_CELLS * _CELLS))
    rounds = np.empty(len(cell), np.intp)
    rounds[by_cell] = np.arange(len(cell)) - first[cell[by_cell]]
    return keypoints.take(np.argsort(rounds, kind="stable")[:count])
