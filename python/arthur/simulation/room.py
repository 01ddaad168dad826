"""The room a work hangs in: its frame, the wall, the works beside it."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from arthur.simulation.fields import Field, Picture, Shape, blur, grid, noise
from arthur.simulation.pose import LONG_SIDE, Pose
from arthur.simulation.severity import Limits

_WOODS = np.array([[60, 40, 20], [190, 150, 70], [20, 20, 20], [230, 225, 215], [120, 80, 45], [150, 150, 155]])


def frame(work: Picture, random: np.random.Generator) -> Picture:
    """Return the work in a frame of a few steps, for some with a mat."""
    shorter = min(work.shape[:2])
    framed = work
    if random.random() < 0.35:
        card = np.array([245, 240, 228]) * random.uniform(0.8, 1)
        framed = _bordered(framed, shorter * random.uniform(0.04, 0.15), card)
    wood = _WOODS[int(random.integers(len(_WOODS)))] * random.uniform(0.7, 1.1)
    for _ in range(int(random.integers(1, 5))):
        step = shorter * random.uniform(0.008, 0.04)
        framed = _bordered(framed, step, wood * random.uniform(0.55, 1.35))
    return framed


def hang(
    work: Picture,
    pose: Pose,
    random: np.random.Generator,
    limits: Limits,
    clutter: Sequence[Picture],
) -> tuple[Field, Field]:
    """Show a framed work on a wall.

    Returns:
        The scene, float32 (height, width, 3) in 0..255, and how much of each pixel is the framed
        work, float32 (height, width) in 0..1.
    """
    scene = _wall(pose.photo, random, clutter)
    if clutter and random.random() < limits.p_neighbours:
        scene = _neighbours(scene, work.shape[:2], pose, random, clutter)
    seen, mask = _seen(work, pose.matrix, pose)
    if not pose.detail and random.random() < 0.5:
        shift = int(0.02 * pose.photo[0]), int(0.015 * pose.photo[1])
        shadow = blur(np.roll(mask, shift, (0, 1)), 0.012 * LONG_SIDE)
        scene = scene * (1 - 0.45 * shadow[..., None])
    scene = scene * (1 - mask[..., None]) + seen * mask[..., None]
    return scene.astype(np.float32), mask


def _bordered(picture: Picture, width: float, colour: NDArray[np.float64]) -> Picture:
    value = np.clip(colour, 0, 255).tolist()
    side = max(1, int(width))
    out = cv2.copyMakeBorder(picture, side, side, side, side, cv2.BORDER_CONSTANT, value=value)
    return out.astype(np.uint8, copy=False)


def _seen(work: Picture, matrix: NDArray[np.float64], pose: Pose) -> tuple[Field, Field]:
    """Return a work warped into the photo, float32, and its mask."""
    size = pose.photo[::-1]
    # The scale of this work may differ from the pose's: neighbours hang at their own size.
    scale = pose.scale * float(
        np.sqrt(abs(np.linalg.det(matrix / pose.matrix[2, 2])))
        / np.sqrt(abs(np.linalg.det(pose.matrix / pose.matrix[2, 2])))
    )
    source = work.astype(np.float32)
    if scale < 0.75:
        source = blur(source, 0.45 / scale)
    whole = np.ones(work.shape[:2], np.float32)
    seen = cv2.warpPerspective(source, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpPerspective(whole, matrix, size, flags=cv2.INTER_LINEAR)
    return seen.astype(np.float32, copy=False), mask.astype(np.float32, copy=False)


def _neighbours(
    scene: Field,
    work: Shape,
    pose: Pose,
    random: np.random.Generator,
    clutter: Sequence[Picture],
) -> Field:
    """Hang other works to the left, right, above and below, on the same wall."""
    height, width = work
    for right, down in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        if random.random() > 0.6:
            continue
        other = frame(clutter[int(random.integers(len(clutter)))], random)
        scale = max(work) / max(other.shape[:2]) * random.uniform(0.6, 1.1)
        half = scale * np.array(other.shape[1::-1]) / 2
        x = width / 2 - half[0] + right * (0.62 * width + half[0])
        y = height / 2 - half[1] + down * (0.62 * height + half[1])
        placed = np.array([[scale, 0, x], [0, scale, y], [0, 0, 1]])
        seen, mask = _seen(other, pose.matrix @ placed, pose)
        scene = np.where(mask[..., None] > 0.5, seen, scene)
    return scene


def _wall(shape: Shape, random: np.random.Generator, clutter: Sequence[Picture]) -> Field:
    kind = random.random()
    grey = np.array([200, 195, 188]) * random.uniform(0.25, 1.2)
    colour = np.clip(grey + random.normal(0, 25, 3), 5, 250).astype(np.float32)
    if kind < 0.5:
        plaster = noise(random, shape, octaves=6, base=random.uniform(2, 40), gain=0.8)
        return colour * (0.9 + 0.2 * plaster[..., None])
    if kind < 0.7:
        return _bricks(shape, random, colour)
    if kind < 0.85 and clutter:
        room = cv2.resize(clutter[int(random.integers(len(clutter)))], shape[::-1])
        return blur(room.astype(np.float32), random.uniform(1, 12)) * random.uniform(0.4, 1)
    wall = np.ones((*shape, 3), np.float32) * colour
    for _ in range(int(random.integers(4, 24))):
        ends = (random.uniform(-0.1, 1.1, (2, 2)) * shape[::-1]).astype(int).tolist()
        cv2.rectangle(wall, ends[0], ends[1], random.uniform(10, 240, 3).tolist(), cv2.FILLED)
    return blur(wall, random.uniform(0.8, 6))


def _bricks(shape: Shape, random: np.random.Generator, colour: NDArray[np.float32]) -> Field:
    """Bricks, boards or tiles: rows of blocks, every other row shifted by half a block."""
    rows, columns = grid(shape)
    tall = int(random.integers(14, 60))
    long = max(2, int(tall * random.uniform(0.3, 3)))
    course = rows.astype(np.int32) // tall
    block = (columns.astype(np.int32) + course % 2 * (long // 2)) // long
    # A product with a prime scatters the shades over the blocks.
    shades = ((course + block) * 7919 % 13 / 13).astype(np.float32)
    grain = noise(random, shape, octaves=4, base=30)[..., None] - 0.5
    wall: Field = colour * (0.75 + 0.4 * shades[..., None]) + 12 * grain
    return wall
