"""What light and bodies do between a work and the camera.

All functions take and return scenes, float32 (height, width, 3) in 0..255.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from arthur.simulation.fields import Field, Picture, Shape, blur, grid, noise
from arthur.simulation.pose import LONG_SIDE, Pose
from arthur.simulation.severity import Limits

_SKIN = np.array([215, 165, 140])


def centred(shape: Shape) -> tuple[Field, Field]:
    """Return x and y of each pixel from the middle, in units of the long side."""
    rows, columns = grid(shape)
    height, width = shape
    longest = np.float32(max(shape))
    return (columns - np.float32(width / 2)) / longest, (rows - np.float32(height / 2)) / longest


def moire(scene: Field, mask: Field, pose: Pose, random: np.random.Generator) -> Field:
    """Overlay the sub-pixels of a screen; they beat with the photo's pixels."""
    rows, columns = grid(pose.photo)
    back = np.linalg.inv(pose.matrix)
    depth = back[2, 0] * columns + back[2, 1] * rows + back[2, 2]
    across = (back[0, 0] * columns + back[0, 1] * rows + back[0, 2]) / depth
    down = (back[1, 0] * columns + back[1, 1] * rows + back[1, 2]) / depth
    pitch = pose.scale * random.uniform(0.85, 1.15) * random.choice([0.5, 1, 1, 2])
    phases = np.arange(3) / 3
    stripes = 0.5 + 0.5 * np.cos(2 * np.pi * (across[..., None] * pitch + phases))
    lines = 0.65 + 0.35 * np.cos(2 * np.pi * down * pitch)[..., None]
    strength = random.uniform(0.12, 0.4) * mask[..., None]
    shown: Field = (scene * (1 - strength * (1 - 1.3 * stripes * lines))).astype(np.float32)
    return shown


def occlude(scene: Field, pose: Pose, random: np.random.Generator, limits: Limits) -> tuple[Field, Field]:
    """Hide a part of the work; return the scene and how much of each pixel is hidden, 0..1."""
    seen = np.maximum(pose.high - pose.low, 1)
    area = random.uniform(*limits.occlusion) * float(seen.prod())
    point = random.uniform(pose.low, pose.low + seen)
    kind = int(random.integers(4))
    cover = np.zeros(pose.photo, np.float32)
    shape = (_blob, _visitor, _finger, _label)[kind]
    shape(cover, point, area, random)
    cover = blur(cover, random.uniform(0.8, 5))
    colour = random.uniform(5, 235, 3) if kind != 2 else _SKIN * random.uniform(0.4, 1.1)
    body = colour * (0.8 + 0.3 * noise(random, pose.photo, octaves=3, base=4)[..., None])
    hidden = cover[..., None]
    return (scene * (1 - hidden) + hidden * body).astype(np.float32), cover


def illuminate(scene: Field, random: np.random.Generator, limits: Limits) -> Field:
    """Let the light fall off to one side and to the corners, and for some a shadow fall."""
    shape = scene.shape[:2]
    x, y = centred(shape)
    angle = random.uniform(0, 2 * np.pi)
    slope = limits.falloff * random.random() * (0.5 + x * np.cos(angle) + y * np.sin(angle))
    vignette = 1.6 * limits.falloff * random.random() * (x**2 + y**2)
    scene = scene * ((1 - slope) * (1 - vignette))[..., None]
    if random.random() < limits.p_shadow:
        shadow = np.zeros(shape, np.float32)
        corners = (random.uniform(-0.3, 1.3, (4, 2)) * shape[::-1]).astype(np.int32)
        cv2.fillPoly(shadow, [corners], 1.0)
        shadow = blur(shadow, random.uniform(2, 40))
        scene = scene * (1 - random.uniform(0.2, 0.6) * shadow[..., None])
    return scene.astype(np.float32)


def reflect(
    scene: Field,
    mask: Field,
    random: np.random.Generator,
    limits: Limits,
    clutter: Sequence[Picture],
) -> Field:
    """Mirror the room in the glass; a picture of the clutter stands for the room."""
    room = cv2.resize(clutter[int(random.integers(len(clutter)))], scene.shape[1::-1])
    room = blur(room.astype(np.float32), random.uniform(0.5, 8))
    strength = random.uniform(*limits.reflection) * mask[..., None]
    return (scene * (1 - 0.6 * strength) + room * strength).astype(np.float32)


def glare(scene: Field, pose: Pose, random: np.random.Generator) -> Field:
    """Let one to three lamps or windows shine in the varnish."""
    spots = np.zeros(pose.photo, np.float32)
    middle, seen = (pose.low + pose.high) / 2, pose.high - pose.low
    for _ in range(int(random.integers(1, 4))):
        point = middle + random.uniform(-0.5, 0.5, 2) * seen
        if random.random() < 0.6:
            axes = (LONG_SIDE * random.uniform(0.02, 0.14, 2)).astype(int).tolist()
            turn, level = random.uniform(0, 180), random.uniform(0.4, 1)
            cv2.ellipse(spots, point.astype(int).tolist(), axes, turn, 0, 360, level, cv2.FILLED)
        else:
            size = LONG_SIDE * random.uniform(0.02, 0.12, 2)
            window = point + np.array([[-1, -1], [1, -1], [1.2, 1], [-0.8, 1]]) * size
            cv2.fillPoly(spots, [window.astype(np.int32)], random.uniform(0.3, 0.9))
    spots = blur(spots, LONG_SIDE * random.uniform(0.006, 0.05))[..., None]
    return (scene + (255 - 0.3 * scene) * spots * random.uniform(0.4, 1)).astype(np.float32)


def _blob(cover: Field, point: NDArray[np.float64], area: float, random: np.random.Generator) -> None:
    radius = np.sqrt(area / np.pi)
    axes = [int(radius * random.uniform(0.6, 1.4)), int(radius)]
    turn = random.uniform(0, 180)
    cv2.ellipse(cover, point.astype(int).tolist(), axes, turn, 0, 360, 1, cv2.FILLED)


def _visitor(cover: Field, point: NDArray[np.float64], area: float, _: np.random.Generator) -> None:
    """Head and shoulders that rise from the lower edge."""
    head = 0.55 * np.sqrt(area / np.pi)
    x, y = int(point[0]), int(cover.shape[0] - 2 * head)
    cv2.circle(cover, (x, y), int(head), 1, cv2.FILLED)
    shoulders = (int(2.1 * head), int(1.7 * head))
    cv2.ellipse(cover, (x, int(y + 2.6 * head)), shoulders, 0, 0, 360, 1, cv2.FILLED)


def _finger(cover: Field, point: NDArray[np.float64], area: float, random: np.random.Generator) -> None:
    """A finger that reaches in from the left or right edge."""
    height, width = cover.shape
    start = (int(random.choice([0, width])), int(random.uniform(0, height)))
    thickness = max(4, int(0.8 * np.sqrt(area / np.pi)))
    cv2.line(cover, start, point.astype(int).tolist(), 1, thickness)


def _label(cover: Field, point: NDArray[np.float64], area: float, _: np.random.Generator) -> None:
    half = np.sqrt(area) * np.array([0.7, 0.35])
    low, high = (point - half).astype(int).tolist(), (point + half).astype(int).tolist()
    cv2.rectangle(cover, low, high, 1, cv2.FILLED)
