"""How much a fit proves: whether a work can lie so, how much of it is seen, and how much of that agrees.

Inliers alone do not tell: a banner or a logo that many covers share gives dozens, all in one place.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from arthur.verify.features import Features, Floats
from arthur.verify.geometry import Fit, mapped

GRID = 16
"""The work is looked at in this many rows and columns."""
NEAR = 0.06
"""An inlier covers what lies within this share of the work's diagonal."""
LEAST_AREA = 0.004
"""A work smaller than this share of the photo has too few pixels to be told."""
MOST_AREA = 40.0
MOST_SKEW = 4.0
"""Largest ratio of opposite sides: a work is seen from the front or from the side, not from within its plane."""
SMALLEST_PX = 2.2
"""Smaller keypoints are not detected in a photo."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What a plausible fit proves.

    Attributes:
        quad: (4, 2) float32 corners of the work in the photo, pixels, clockwise from the work's top left.
        coverage: share of the work's area that lies near an inlier, 0..1.
        visible: share of the work's area that lies inside the photo, 0..1.
        support: inliers as a share of the work's features that the photo should show, 0..1.
        aside: distance from the middle of the inliers to the middle of the photo, 1 at a corner.
        off_middle: distance from the middle of the photo to the work, 0 where it lies on it, 1 for half a diagonal.
        error_px: median distance of the inliers from their places, pixels of the photo.
        cosine: mean likeness of the inliers, 0.6..1.
    """

    quad: Floats
    coverage: float
    visible: float
    support: float
    aside: float
    off_middle: float
    error_px: float
    cosine: float


def weigh(photo: Features, work: Features, fit: Fit) -> Evidence | None:
    """Return what a fit proves, or None if no work can lie so."""
    quad = _quad(photo, work, fit)
    if quad is None:
        return None
    inliers = work.points[fit.pairs.work]
    seen = photo.points[fit.pairs.photo]
    grid = _grid(work)
    distance = np.linalg.norm(grid[:, None] - inliers[None], axis=2).min(axis=1)
    growth = np.sqrt(_area(quad) / (work.width * work.height))
    expected = _inside(photo, mapped(fit.homography, work.points)) & (work.scales * growth > SMALLEST_PX)
    middle = np.array([photo.width, photo.height], np.float32) / 2
    error = np.linalg.norm(mapped(fit.homography, inliers) - seen, axis=1)
    return Evidence(
        quad=quad,
        coverage=float(np.mean(distance < NEAR * np.hypot(work.width, work.height))),
        visible=float(np.mean(_inside(photo, mapped(fit.homography, grid)))),
        support=min(1.0, len(inliers) / max(1, int(expected.sum()))),
        aside=float(np.linalg.norm(np.median(seen, axis=0) - middle) / np.linalg.norm(middle)),
        off_middle=_distance(quad, (photo.width / 2, photo.height / 2)) / float(np.linalg.norm(middle)),
        error_px=float(np.median(error)),
        cosine=float(fit.pairs.cosine.mean()),
    )


def _quad(photo: Features, work: Features, fit: Fit) -> Floats | None:
    """Return the corners if they are those of a rectangle seen in perspective, neither mirrored nor tiny."""
    width, height = work.width, work.height
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    depths = corners @ fit.homography[2, :2] + fit.homography[2, 2]
    quad = mapped(fit.homography, corners)
    sides = np.roll(quad, -1, axis=0) - quad
    following = np.roll(sides, -1, axis=0)
    turns = sides[:, 0] * following[:, 1] - sides[:, 1] * following[:, 0]
    lengths = np.maximum(np.linalg.norm(sides, axis=1), 1e-6)
    skew = np.exp(np.abs(np.log(lengths[:2] / lengths[2:])).max())
    share = _area(quad) / (photo.width * photo.height)
    in_front = bool((depths > 0).all()) and bool((turns > 0).all())
    return quad if in_front and skew < MOST_SKEW and LEAST_AREA < share < MOST_AREA else None


def _grid(work: Features) -> Floats:
    """Return the (GRID * GRID, 2) middles of the cells of a work, pixels."""
    middles = (np.arange(GRID, dtype=np.float32) + 0.5) / GRID
    columns, rows = np.meshgrid(middles * work.width, middles * work.height)
    return np.stack([columns.ravel(), rows.ravel()], axis=1)


def _inside(photo: Features, points: Floats) -> NDArray[np.bool_]:
    return np.asarray(((points > 0) & (points < (photo.width, photo.height))).all(axis=1))


def _distance(quad: Floats, point: tuple[float, float]) -> float:
    """Return how far a point lies outside, pixels."""
    return max(0.0, -cv2.pointPolygonTest(quad, point, measureDist=True))


def _area(quad: Floats) -> float:
    x, y = quad.T.astype(np.float64)
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)
