"""Does the work on the photo look like the enrolled one all over, or only where features were found?

Works of one series, states of one print and pictures retouched share most of their features. Laid over each other,
though, they differ somewhere: both are set upright, aligned, and compared block by block.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from arthur.recognition.geometry import Gray
from arthur.recognition.sighting import Corners

SIDE = 128
"""Both pictures are compared at this size: coarse enough for a plane found by features, fine enough for details."""
REACH = 5
"""How far a block may lie from its place before the planes are aligned, pixels: inliers tell little of where a work
lies away from them."""
ROUGH_BLOCK, ROUGH_STEP = 24, 20
"""Blocks by which the planes are aligned."""
BLOCK, STEP = 16, 14
"""Blocks that are compared then."""
FOUND = 0.5
"""Correlation from which a block was found again nearby."""
FEWEST_FOUND = 6
STRAY = 1.0
"""How far a block may lie from where the others say, pixels."""
FINER = 2
"""The photo is set upright at so many times the size, against aliasing."""
PLAIN = 4.0
"""Standard deviation of luma below which a block shows nothing to compare."""
FEWEST = 4
WORK_BLUR, PHOTO_BLUR = 1.0, 0.7
"""Gaussian sigma, pixels: the photo is softer already."""
MARGIN, MARGIN_SHARE, MARGIN_SLACK = 12.0, 0.97, 3
"""A row or column belongs to a plain margin when this share of it is as bright as the edge, within so many steps of
luma; a block may reach so many pixels into it."""
GLARE, GLARE_SHARE = 248.0, 0.15
"""Luma that a reflection has, and the share of a block from which it hides what is there."""
BRIGHT = 235.0
"""Luma from which the work itself may be as bright as a reflection."""
_TRIALS = 200
_NOTHING = 1e-3
_INSIDE = 200
"""Of 255: what lies inside the photo still does after the smoothing at its edge."""

Luma = NDArray[np.float32]
Matrix = NDArray[np.float64]
Box = tuple[int, int, int, int]
"""Left, top, right, bottom, pixels; the last two are outside."""
Places = NDArray[np.intp]
"""(n, 2): left and top of blocks, pixels."""
Number = TypeVar("Number", np.float32, np.uint8)


@dataclass(frozen=True, slots=True)
class Upright:
    """The work upright as the photo shows it, with an edge around it.

    Attributes:
        soft: (SIDE + 2 * edge, same) luma.
        hidden: 1 where a reflection is, else 0.
        inside: 255 where it lies inside the photo.
        edge: pixels.
    """

    soft: Luma
    hidden: Luma
    inside: Gray
    edge: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """How alike the blocks of two pictures are: correlations of luma, -1..1.

    Attributes:
        mean: of all blocks; what two candidates for one place of a photo are told apart by.
        median: hardly lowered by what hides less than half of the work, be it a finger, a sticker or a bent corner.
    """

    mean: float
    median: float


def agreement(photo: Gray, corners: Corners, work: Gray) -> Agreement | None:
    """Return how alike the blocks are; None when too little of the work is in view.

    Blocks that are found near their places tell first how the plane lies exactly. Then each block is compared in its
    place, freed of its own brightness and contrast (zero-normalised cross-correlation). Plain blocks, the plain margin
    that catalogue pictures often have, what lies outside the photo and what a reflection hides are not compared.

    Args:
        photo: (h, w) uint8 luma.
        corners: where the work is in it, pixels.
        work: (h, w) uint8 luma of the enrolled picture.
    """
    enrolled = cv2.resize(work, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    content, theirs = _content(enrolled), _soft(enrolled, WORK_BLUR)
    square = np.array([[0, 0], [SIDE, 0], [SIDE, SIDE], [0, SIDE]], np.float32)
    plane = np.asarray(cv2.getPerspectiveTransform(corners.astype(np.float32), square), np.float64)
    rough = _upright(photo, plane, edge=REACH)
    places = _comparable(rough, theirs, _places(content, ROUGH_BLOCK, ROUGH_STEP), ROUGH_BLOCK)
    aligned = _upright(photo, _aligning(rough.soft, theirs, places) @ plane, edge=0)
    places = _comparable(aligned, theirs, _places(content, BLOCK, STEP), BLOCK)
    if len(places) < FEWEST:
        return None
    one, other = (_centred(_windows(picture, places, BLOCK)) for picture in (aligned.soft, theirs))
    lengths = np.linalg.norm(one, axis=(1, 2)) * np.linalg.norm(other, axis=(1, 2))
    alike = (one * other).sum(axis=(1, 2)) / np.maximum(lengths, _NOTHING)
    return Agreement(float(np.mean(alike)), float(np.median(alike)))


def _upright(photo: Gray, plane: Matrix, *, edge: int) -> Upright:
    side = SIDE + 2 * edge
    finer = np.array([[FINER, 0, edge * FINER], [0, FINER, edge * FINER], [0, 0, 1]], np.float64)
    upright, inside = (
        cv2.resize(
            cv2.warpPerspective(layer, finer @ plane, (side * FINER, side * FINER)),
            (side, side),
            interpolation=cv2.INTER_AREA,
        )
        for layer in (photo, np.full_like(photo, 255))
    )
    seen = upright.astype(np.float32)
    hidden = (seen >= GLARE).astype(np.float32)
    return Upright(_soft(seen, PHOTO_BLUR), hidden, inside.astype(np.uint8, copy=False), edge)


def _comparable(photo: Upright, work: Luma, places: Places, size: int) -> Places:
    """Return the places of the blocks that show something which the photo can show too."""
    blocks = _windows(work, places, size)
    around = _windows(photo.inside, places, size + 2 * photo.edge)
    hidden = _windows(photo.hidden, places + photo.edge, size).mean(axis=(1, 2)) > GLARE_SHARE
    hidden &= blocks.mean(axis=(1, 2)) < BRIGHT
    kept: Places = places[(blocks.std(axis=(1, 2)) >= PLAIN) & (around.min(axis=(1, 2)) >= _INSIDE) & ~hidden]
    return kept


def _aligning(photo: Luma, work: Luma, places: Places) -> Matrix:
    """Return the (3, 3) affine map that takes blocks from where they are found to their places; else the identity."""
    found, shifts = [], []
    blocks, around = _windows(work, places, ROUGH_BLOCK), _windows(photo, places, ROUGH_BLOCK + 2 * REACH)
    for place, block, neighbourhood in zip(places, blocks, around, strict=True):
        alike = cv2.matchTemplate(neighbourhood, block, cv2.TM_CCOEFF_NORMED)
        best = int(alike.argmax())
        if alike.flat[best] > FOUND:
            found.append(place)
            shifts.append((best % alike.shape[1] - REACH, best // alike.shape[1] - REACH))
    if len(found) < FEWEST_FOUND:
        return np.eye(3)
    middles = np.array(found, np.float32) + ROUGH_BLOCK / 2
    seen = middles + np.array(shifts, np.float32)
    map_to, _ = cv2.estimateAffine2D(seen, middles, method=cv2.RANSAC, ransacReprojThreshold=STRAY, maxIters=_TRIALS)
    affine = np.asarray(map_to, np.float64)
    return np.vstack([affine, [0, 0, 1]]) if affine.shape == (2, 3) else np.eye(3)


def _content(work: Luma) -> Box:
    """Return the part of a picture inside its plain margin; all of it when there is none, or nothing else."""
    edge = np.median(np.concatenate([work[0], work[-1], work[:, 0], work[:, -1]]))
    plain = np.abs(work - edge) < MARGIN
    rows, columns = (np.flatnonzero(plain.mean(axis=axis) <= MARGIN_SHARE) for axis in (1, 0))
    if not len(rows) or not len(columns):
        return 0, 0, SIDE, SIDE
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _places(content: Box, size: int, step: int) -> Places:
    """Return the places of the blocks that lie in the content."""
    left, top, right, bottom = content
    places = range(0, SIDE - size + 1, step)
    across = [x for x in places if left <= x + MARGIN_SLACK and x + size - MARGIN_SLACK <= right]
    down = [y for y in places if top <= y + MARGIN_SLACK and y + size - MARGIN_SLACK <= bottom]
    return np.array([(x, y) for y in down for x in across], np.intp).reshape(-1, 2)


def _windows(picture: NDArray[Number], places: Places, size: int) -> NDArray[Number]:
    """Return the squares at these places, (n, size, size)."""
    return sliding_window_view(picture, (size, size))[places[:, 1], places[:, 0]]


def _centred(blocks: Luma) -> Luma:
    centred: Luma = blocks - blocks.mean(axis=(1, 2), keepdims=True)
    return centred


def _soft(picture: Luma, sigma: float) -> Luma:
    return cv2.GaussianBlur(picture, (0, 0), sigma).astype(np.float32, copy=False)
