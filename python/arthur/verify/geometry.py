"""How a work lies in a photo: the one plane on which features that look alike lie in the same places.

Each distinctive match says by itself how the work would lie: shifted, turned and scaled. The one that most others
confirm starts a fit that grows: a map is fitted to the pairs found so far, all alike pairs that it brings together are
found, and so on with a stricter limit each time, first affine, then projective. Deterministic, and cheap for works
that are not there: most of them end with the first step.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from arthur.verify.features import Features, Floats
from arthur.verify.matching import Pairs, alike

Matrix = NDArray[np.float64]

FEWEST = 4
"""Matches that must agree on shift, turn and scale before a map is fitted."""
FEWEST_PROJECTIVE = 8
"""Matches from which perspective can be told from noise."""
REACH = 0.25
"""Allowed error of a place that one match predicts, as a share of the distance from it: scale and turn are coarse."""
SLACK_PX = 4.0
OCTAVES = 0.8
"""Allowed difference of the scales that two matches say, as log2."""
TURN = float(np.deg2rad(35))
STAGES = (24.0, 12.0, 6.0, 4.0)
"""How far from its place a pair may lie as the fit grows, pixels."""
_TRIALS = 200
"""Of the robust fits of OpenCV, which give None where they find nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """How a work lies in a photo.

    Attributes:
        homography: (3, 3) from pixels of the work's gray picture to those of the photo's.
        pairs: the features that it brings together, each at most once.
    """

    homography: Matrix
    pairs: Pairs


def fit(photo: Features, work: Features) -> tuple[Fit | None, int]:
    """Return how the work lies in the photo, or None; and how many distinctive matches there were."""
    pairs, starts = alike(photo, work)
    agreed = _agreeing(photo, work, starts)
    if len(agreed) < FEWEST:
        return None, len(starts)
    return _grown(photo, work, pairs, agreed), len(starts)


def mapped(homography: Matrix, points: Floats) -> Floats:
    """Return where a homography takes (n, 2) points."""
    rows = points @ homography[:, :2].T + homography[:, 2]
    depth = np.where(np.abs(rows[:, 2:]) < 1e-9, 1e-9, rows[:, 2:])
    return np.clip(rows[:, :2] / depth, -1e6, 1e6).astype(np.float32)


def _agreeing(photo: Features, work: Features, starts: Pairs) -> Pairs:
    """Return the largest set of matches that confirm what one of them says."""
    if len(starts) < FEWEST:
        return starts.take(np.zeros(0, np.intp))
    here, there = _complex(photo.points[starts.photo]), _complex(work.points[starts.work])
    octaves = np.log2(photo.scales[starts.photo] / work.scales[starts.work])
    turns = photo.angles[starts.photo] - work.angles[starts.work]
    said = (np.exp2(octaves) * np.exp(1j * turns)).astype(np.complex64)
    offset = said[:, None] * (there[None, :] - there[:, None])
    error = np.abs(offset + here[:, None] - here[None, :])
    agrees = error < SLACK_PX + REACH * np.abs(offset)
    agrees &= np.abs(octaves[:, None] - octaves[None, :]) < OCTAVES
    agrees &= np.cos(turns[:, None] - turns[None, :]) > np.cos(TURN)
    return starts.take(agrees[agrees.sum(axis=1).argmax()])


def _grown(photo: Features, work: Features, pairs: Pairs, agreed: Pairs) -> Fit | None:
    """Return the fit that a set of matches grows into, or None if it falls apart."""
    chosen, homography = agreed, np.eye(3)
    for stage, limit in enumerate(STAGES):
        projective = stage > 0 and len(chosen) >= FEWEST_PROJECTIVE
        map_to = _projective if projective else _affine
        found = map_to(work.points[chosen.work], photo.points[chosen.photo], limit)
        if found is None or not np.isfinite(found).all():
            return None
        homography = found
        chosen = _brought_together(photo, work, pairs, homography, limit=limit)
        if len(chosen) < FEWEST:
            return None
    return Fit(homography, chosen)


def _affine(source: Floats, target: Floats, limit: float) -> Matrix | None:
    found, _ = cv2.estimateAffine2D(source, target, method=cv2.RANSAC, ransacReprojThreshold=limit, maxIters=_TRIALS)
    matrix = np.asarray(found, np.float64)
    return np.vstack([matrix, [0, 0, 1]]) if matrix.shape == (2, 3) else None


def _projective(source: Floats, target: Floats, limit: float) -> Matrix | None:
    found, _ = cv2.findHomography(source, target, cv2.USAC_MAGSAC, limit / 2, maxIters=_TRIALS, confidence=0.99)
    matrix = np.asarray(found, np.float64)
    return matrix if matrix.shape == (3, 3) else None


def _brought_together(photo: Features, work: Features, pairs: Pairs, homography: Matrix, *, limit: float) -> Pairs:
    """Return the pairs that the map brings together, each feature at most once, the most similar first."""
    error = np.linalg.norm(mapped(homography, work.points[pairs.work]) - photo.points[pairs.photo], axis=1)
    near = np.flatnonzero(error < limit)
    near = near[np.argsort(-pairs.cosine[near], kind="stable")]
    near = near[np.sort(np.unique(pairs.photo[near], return_index=True)[1])]
    near = near[np.sort(np.unique(pairs.work[near], return_index=True)[1])]
    return pairs.take(near)


def _complex(points: Floats) -> NDArray[np.complex64]:
    return (points[:, 0] + 1j * points[:, 1]).astype(np.complex64)
