"""Patches to learn from: of works, of simulated photos of them, and which patch of a photo shows which of its work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from arthur.simulation.fields import Picture
from arthur.simulation.photo import photograph
from arthur.verify.sift import Keypoints, detect
from bench.artphoto.paintings import painting, work

Patches = NDArray[np.uint8]

KEYPOINTS = 1500
WORDS_PER_PICTURE = 400
PAINTED_SIDE = 576
PAINTED_EVERY = 3
"""Of the works of an artist every third is painted: series teach little about patches."""
NEAR = 0.25
"""Allowed distance of a pair, as a share of the keypoint's diameter, beside half a pixel."""
OCTAVES = 0.4
DEGREES = 25.0


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What one work and one photo of it teach.

    Attributes:
        common: patches as they are enrolled and looked up, for the visual words.
        enrolled: those of the work alone.
        shown, seen: (n, 128) the same patches, in the work and in the photo.
    """

    common: Patches
    enrolled: Patches
    shown: Patches
    seen: Patches


def works(folder: Path, painted: int, *, seed: int) -> Iterator[Picture]:
    """Yield the pictures of a folder in the order of their names, then procedural paintings."""
    for path in sorted(folder.glob("*.jpg")):
        yield cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    for number in range(painted):
        yield painting(*work(number * PAINTED_EVERY, seed=seed), size=PAINTED_SIDE)


def lesson(art: Picture, number: int) -> Lesson:
    """Photograph a work, one severity after the other, and find its patches in the photo."""
    photo, shot = photograph(art, number, severity=1 + number % 4)
    here, there = detect(_gray(art), KEYPOINTS), detect(_gray(photo), KEYPOINTS)
    height, width = art.shape[:2]
    frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(frame, np.array(shot.corners, np.float32))
    shown, seen = _same(here, there, matrix)
    enrolled = detect(_gray(art), KEYPOINTS, kept=WORDS_PER_PICTURE).patches
    common = np.concatenate([enrolled, there.patches[:WORDS_PER_PICTURE]])
    return Lesson(common, enrolled, here.patches[shown], there.patches[seen])


def _gray(picture: Picture) -> NDArray[np.uint8]:
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)


def _same(here: Keypoints, there: Keypoints, matrix: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return which keypoints of the photo lie where the matrix takes those of the work, at their scale and turn."""
    if not len(here) or not len(there):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    ahead = np.stack([np.cos(here.angles), np.sin(here.angles)], axis=1)
    aside = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)
    centre, front, side = (_mapped(here.points + step, matrix) for step in (np.zeros_like(ahead), ahead, aside))
    front, side = front - centre, side - centre
    growth = np.sqrt(np.abs(front[:, 0] * side[:, 1] - front[:, 1] * side[:, 0]))
    turn = np.arctan2(front[:, 1], front[:, 0])
    distance = np.linalg.norm(centre[:, None] - there.points[None], axis=2)
    octaves = np.abs(np.log2((here.scales * growth)[:, None] / there.scales[None]))
    same = (distance < NEAR * there.scales + 0.5) & (octaves < OCTAVES)
    same &= np.cos(turn[:, None] - there.angles[None]) > np.cos(np.deg2rad(DEGREES))
    nearest = np.where(same, distance, np.inf).argmin(axis=1)
    found = np.flatnonzero(same.any(axis=1))
    return found, nearest[found]


def _mapped(points: NDArray[np.float32], matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    return cv2.perspectiveTransform(points[None].astype(np.float32), matrix)[0].astype(np.float32, copy=False)
