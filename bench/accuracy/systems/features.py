"""Local features and their geometry in OpenCV, as a careful engineer without Arthur would write them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

LONG_SIDE = 640
"""Longest side of the grey picture in which features are looked for, pixels."""
_FEWEST = 4
"""Pairs that a homography needs."""


@dataclass(frozen=True, slots=True)
class Features:
    """Key points of a picture.

    Attributes:
        points: (n, 2) float32 pixels.
        codes: (n, bytes) uint8 descriptors.
    """

    points: NDArray[np.float32]
    codes: NDArray[np.uint8]

    @property
    def size_bytes(self) -> int:
        """Memory that they take."""
        return self.points.nbytes + self.codes.nbytes


def features(detector: cv2.Feature2D, grey: NDArray[np.uint8], *, width: int) -> Features:
    """Find features; descriptors of `width` bytes, which SIFT gives as whole numbers in floats."""
    found, codes = detector.detectAndCompute(grey, None)
    if codes is None or not len(found):  # type: ignore[redundant-expr]  # None where nothing was found
        return Features(np.empty((0, 2), np.float32), np.empty((0, width), np.uint8))
    points = np.array([point.pt for point in found], np.float32)
    return Features(points, np.asarray(codes).astype(np.uint8))


def distinct(pairs: Sequence[Sequence[cv2.DMatch]], ratio: float) -> list[cv2.DMatch]:
    """Return the best of each two that is clearly nearer than the second (Lowe's test)."""
    return [two[0] for two in pairs if len(two) == 2 and two[0].distance < ratio * two[1].distance]


def inliers(work: Features, photo: Features, matches: Sequence[cv2.DMatch], *, method: int, pixels: float) -> int:
    """Return how many matches (query: photo, train: work) one homography from work to photo explains."""
    if len(matches) < _FEWEST:
        return 0
    source = work.points[[match.trainIdx for match in matches]]
    target = photo.points[[match.queryIdx for match in matches]]
    matrix, mask = cv2.findHomography(source, target, method, pixels)
    return 0 if matrix is None else int(mask.sum())  # type: ignore[redundant-expr]  # None where none was found
