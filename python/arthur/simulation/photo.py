"""Simulated photos of artworks, as visitors take them: a pure function of the work and a seed."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from arthur.simulation import lens, light, room
from arthur.simulation.fields import Field, Picture, Shape, generator
from arthur.simulation.pose import Pose, stand
from arthur.simulation.severity import LIMITS, Limits


@dataclass(frozen=True, slots=True)
class Shot:
    """What was done to take a photo.

    Attributes:
        severity: 1 mild, 2 medium, 3 hard, 4 hand-held.
        corners: Where the work's own corners lie in the photo, (x, y) in pixels, clockwise from
            the work's top left; some may lie outside. Bending moves them by a few pixels more.
        yaw: Degrees.
        pitch: Degrees.
        roll: Degrees, without the quarter turns.
        quarter_turns: How often the photo was turned by 90 degrees, counter-clockwise.
        detail: Whether only a detail of the work is in view.
        framed: Whether the work is framed.
        screen: Whether it is shown on a screen.
        glare: Whether lamps shine in it.
        hidden: Fraction of the framed work in view that something hides.
    """

    severity: int
    corners: tuple[tuple[float, float], ...]
    yaw: float
    pitch: float
    roll: float
    quarter_turns: int
    detail: bool
    framed: bool
    screen: bool
    glare: bool
    hidden: float


def photograph(art: Picture, seed: int, *, severity: int, clutter: Sequence[Picture] = ()) -> tuple[Picture, Shot]:
    """Photograph a work.

    Args:
        art: The work, uint8 RGB (height, width, 3).
        seed: The same work, seed, severity and clutter give the same photo.
        severity: 1 mild, 2 medium, 3 hard, 4 hand-held at any angle.
        clutter: Other pictures, uint8 RGB: neighbours on the wall and reflections.

    Returns:
        The photo, uint8 RGB with a long side of 640, and what was done.

    Raises:
        ValueError: ``severity`` is not 1, 2, 3 or 4.
    """
    limits, random = _limits(severity), generator(11, seed, severity)
    framed = bool(random.random() < limits.p_frame)
    work = room.frame(art, random) if framed else art
    pose = stand(work.shape[:2], random, limits, upright=0.3 if severity == 4 else 0.75)
    scene, mask = room.hang(work, pose, random, limits, clutter)
    screen = bool(random.random() < limits.p_moire)
    scene = light.moire(scene, mask, pose, random) if screen else scene
    scene, hidden, shines = _lit(scene, mask, pose, random, clutter, limits=limits)
    photo, turns = _turned(_developed(scene, pose.photo, random, limits), random, limits)
    return photo, Shot(
        severity=severity,
        corners=_corners(art, work, pose, turns),
        yaw=pose.yaw,
        pitch=pose.pitch,
        roll=pose.roll,
        quarter_turns=turns,
        detail=pose.detail,
        framed=framed,
        screen=screen,
        glare=shines,
        hidden=hidden,
    )


def snap(scene: Picture, seed: int, *, severity: int) -> Picture:
    """Photograph a scene that fills the frame, with no artwork in it.

    Args:
        scene: uint8 RGB (height, width, 3); becomes the whole photo.
        seed: The same scene, seed and severity give the same photo.
        severity: As for ``photograph``.

    Returns:
        The photo, uint8 RGB of the scene's size, for some turned by quarters.

    Raises:
        ValueError: ``severity`` is not 1, 2, 3 or 4.
    """
    limits, random = _limits(severity), generator(12, seed, severity)
    seen = lens.bend(scene.astype(np.float32), random, limits)
    seen = light.illuminate(seen, random, limits)
    return _turned(_developed(seen, scene.shape[:2], random, limits), random, limits)[0]


def _limits(severity: int) -> Limits:
    if severity not in LIMITS:
        raise ValueError(f"severity is 1, 2, 3 or 4, not {severity}")
    return LIMITS[severity]


def _turned(photo: Picture, random: np.random.Generator, limits: Limits) -> tuple[Picture, int]:
    """Return the photo, for some turned by quarters, and by how many."""
    turns = int(random.integers(1, 4)) if random.random() < limits.p_quarter_turn else 0
    return np.ascontiguousarray(np.rot90(photo, turns)), turns


def _lit(
    scene: Field,
    mask: Field,
    pose: Pose,
    random: np.random.Generator,
    clutter: Sequence[Picture],
    *,
    limits: Limits,
) -> tuple[Field, float, bool]:
    """Return the scene as it reaches the camera, how much of the work is hidden, and if lamps shine."""
    scene, hidden = lens.bend(scene, random, limits), 0.0
    if random.random() < limits.p_occlusion:
        scene, cover = light.occlude(scene, pose, random, limits)
        hidden = float((cover * mask).sum() / max(1.0, mask.sum()))
    scene = light.illuminate(scene, random, limits)
    if clutter and random.random() < limits.p_reflection:
        scene = light.reflect(scene, mask, random, limits, clutter)
    shines = bool(random.random() < limits.p_glare)
    if shines:
        scene = light.glare(scene, pose, random)
    return scene, hidden, shines


def _developed(scene: Field, shape: Shape, random: np.random.Generator, limits: Limits) -> Picture:
    """Return the picture of this height and width that the camera makes of a scene."""
    for step in (lens.expose, lens.defocus, lens.sense):
        scene = step(scene, random, limits)
    photo = np.clip(scene, 0, 255).astype(np.uint8)
    if random.random() < limits.p_overlay:
        photo = lens.caption(photo, random)
    photo = lens.compress(photo, int(random.uniform(*limits.jpeg)))
    return cv2.resize(photo, shape[::-1], interpolation=cv2.INTER_CUBIC).astype(np.uint8, copy=False)


def _corners(art: Picture, work: Picture, pose: Pose, turns: int) -> tuple[tuple[float, float], ...]:
    """Return the corners of the work inside its frame, in the turned photo."""
    border = (work.shape[0] - art.shape[0]) // 2
    height, width = art.shape[:2]
    inner = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64) + border
    seen = np.pad(inner, ((0, 0), (0, 1)), constant_values=1) @ pose.matrix.T
    points = seen[:, :2] / seen[:, 2:]
    size = pose.photo[::-1]
    for _ in range(turns):
        points = np.stack([points[:, 1], size[0] - points[:, 0]], 1)
        size = size[::-1]
    return tuple((float(x), float(y)) for x, y in points)
