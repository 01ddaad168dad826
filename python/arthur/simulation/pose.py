"""Where the camera stands: the homography from a work to its photo."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from arthur.simulation.fields import Shape
from arthur.simulation.severity import Limits

LONG_SIDE = 640
"""Long side of a photo in pixels."""


@dataclass(frozen=True, slots=True)
class Pose:
    """A camera pose.

    Attributes:
        photo: Height and width of the photo.
        matrix: float64 (3, 3), from pixels of the framed work to pixels of the photo.
        corners: float64 (4, 2), where the framed work's corners come to lie, (x, y), clockwise.
        scale: Pixels of the photo per pixel of the framed work, about.
        yaw: Degrees.
        pitch: Degrees.
        roll: Degrees.
        detail: Whether only a detail of the work is in view.
    """

    photo: Shape
    matrix: NDArray[np.float64]
    corners: NDArray[np.float64]
    scale: float
    yaw: float
    pitch: float
    roll: float
    detail: bool

    @property
    def low(self) -> NDArray[np.float64]:
        """Return the left and top of the visible part of the work, (x, y)."""
        corner: NDArray[np.float64] = np.maximum(self.corners.min(0), 0)
        return corner

    @property
    def high(self) -> NDArray[np.float64]:
        """Return the right and bottom of the visible part of the work, (x, y)."""
        corner: NDArray[np.float64] = np.minimum(self.corners.max(0), self.photo[::-1])
        return corner


def stand(work: Shape, random: np.random.Generator, limits: Limits, *, upright: float) -> Pose:
    """Choose a pose; ``upright`` is how often the photo's format follows the work's."""
    photo = _format(work, random, upright)
    yaw, pitch = random.uniform(-1, 1, 2) * limits.tilt * (1, 0.7)
    roll = random.normal(0, limits.roll / 2)
    projected = _project(work, np.radians([yaw, pitch, roll]), random.uniform(0.9, 1.8))
    size = np.array(photo[::-1], np.float64)
    low, high = projected.min(0), projected.max(0)
    extent = high - low
    detail = bool(random.random() < limits.p_detail)
    whole, part = random.uniform(*limits.cover), random.uniform(*limits.detail)
    scale = (size / extent).max() / part if detail else (size / extent).min() * whole
    slack = np.abs(size - extent * scale) / 2
    corners = (projected - (low + high) / 2) * scale + size / 2
    corners += random.uniform(-0.9, 0.9, 2) * slack
    height, width = work
    origin = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(origin, corners.astype(np.float32))
    return Pose(
        photo=photo,
        matrix=np.asarray(matrix, np.float64),
        corners=corners,
        scale=float(scale / max(work)),
        yaw=float(yaw),
        pitch=float(pitch),
        roll=float(roll),
        detail=detail,
    )


def _format(work: Shape, random: np.random.Generator, upright: float) -> Shape:
    follows = random.random() < upright
    wide = work[1] > work[0] if follows else random.random() < 0.5
    short = LONG_SIDE * 3 // 4
    return (short, LONG_SIDE) if wide else (LONG_SIDE, short)


def _project(work: Shape, angles: NDArray[np.float64], focal: float) -> NDArray[np.float64]:
    """Return the work's corners (4, 2) on the image plane; its long side is about 1."""
    height, width = np.array(work) / (2 * max(work))
    corners = np.array([[-width, -height], [width, -height], [width, height], [-width, height]])
    yaw, pitch, roll = angles
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    turned = np.pad(corners, ((0, 0), (0, 1))) @ (about_z @ about_x @ about_y).T
    flat: NDArray[np.float64] = turned[:, :2] / (turned[:, 2:] / focal + 1)
    return flat
