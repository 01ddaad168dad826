"""Does the work on the photo look like the enrolled one all over, or only where features were found?

Works of one series, states of one print and pictures retouched share most of their features. Laid over each other,
though, they differ somewhere: both are set upright and compared block by block.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from arthur.recognition.geometry import Gray, Rgb, luma
from arthur.recognition.sighting import Corners

SIDE = 128
"""Both pictures are compared at this size: coarse enough for a plane found by features, fine enough for details."""
BLOCK = 16
FINER = 2
"""The photo is set upright at so many times the size, against aliasing."""
PLAIN = 4.0
"""Standard deviation of luma below which a block shows nothing to compare."""
FEWEST = 4
WORK_BLUR, PHOTO_BLUR = 1.0, 0.7
"""Gaussian sigma, pixels: the photo is softer already."""


def agreement(preview: Rgb, corners: Corners, work: Rgb) -> float | None:
    """Return the mean correlation of luma over blocks, -1..1; None when too little of the work is in view.

    Each block is freed of its own brightness and contrast, so light and glare count little (zero-normalised
    cross-correlation).

    Args:
        preview: (h, w, 3) uint8 RGB of the photo.
        corners: where the work is in it.
        work: (h, w, 3) uint8 RGB of the enrolled picture.
    """
    photo, inside = _upright(luma(preview), corners)
    enrolled = cv2.resize(luma(work), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    theirs = _blocks(_soft(enrolled.astype(np.float32), WORK_BLUR))
    ours = _blocks(_soft(photo, PHOTO_BLUR))
    compared = inside & (theirs.std(axis=1) > PLAIN)
    if compared.sum() < FEWEST:
        return None
    a, b = (_centred(blocks[compared]) for blocks in (ours, theirs))
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(np.mean((a * b).sum(axis=1) / np.maximum(lengths, 1e-3)))


def _upright(photo: Gray, corners: Corners) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the work upright, (SIDE, SIDE) luma, and which blocks lie wholly inside the photo."""
    side = SIDE * FINER
    square = np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32)
    to_upright = cv2.getPerspectiveTransform(corners.astype(np.float32), square)
    upright, inside = (
        cv2.resize(cv2.warpPerspective(layer, to_upright, (side, side)), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        for layer in (photo, np.full_like(photo, 255))
    )
    return upright.astype(np.float32), _blocks(inside.astype(np.float32)).min(axis=1) > 200


def _soft(picture: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    return cv2.GaussianBlur(picture, (0, 0), sigma).astype(np.float32, copy=False)


def _blocks(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    count = SIDE // BLOCK
    return picture.reshape(count, BLOCK, count, BLOCK).transpose(0, 2, 1, 3).reshape(count * count, BLOCK * BLOCK)


def _centred(blocks: NDArray[np.float32]) -> NDArray[np.float32]:
    centred: NDArray[np.float32] = blocks - blocks.mean(axis=1, keepdims=True)
    return centred
