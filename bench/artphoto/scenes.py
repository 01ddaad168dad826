"""Scenes without any artwork: what people photograph by mistake, or to see what happens."""

from collections.abc import Callable

import numpy as np

from arthur.simulation.fields import Picture, Shape, blur, generator, noise
from arthur.simulation.pose import LONG_SIDE
from bench.artphoto.canvas import Canvas, rgb, shade
from bench.artphoto.palettes import Colour, colour

_SHORT_SIDE = LONG_SIDE * 3 // 4


def scene(seed: int) -> Picture:
    """Draw a scene of one of six kinds.

    Returns:
        uint8 RGB (height, width, 3) with a long side of ``LONG_SIDE``; the same seed gives the same scene.
    """
    random = generator(13, seed)
    shape = (_SHORT_SIDE, LONG_SIDE) if random.random() < 0.5 else (LONG_SIDE, _SHORT_SIDE)
    draw = _KINDS[int(random.integers(len(_KINDS)))]
    picture = draw(shape, random).astype(np.float32)
    grain = noise(random, shape, octaves=6, base=12, gain=0.85)[..., None]
    picture = blur(picture * (0.93 + 0.14 * grain), random.uniform(0.4, 1.1))
    return np.clip(picture, 0, 255).astype(np.uint8)


def _wall(shape: Shape, random: np.random.Generator) -> Canvas:
    """Return a plain wall, for some with a skirting board and a floor."""
    tone = colour(random.uniform(0.05, 0.7), random.uniform(0, 0.2), random.uniform(0.45, 0.95))
    canvas = Canvas.filled(shape, tone)
    if random.random() < 0.7:
        floor = random.uniform(0.7, 0.95)
        canvas.box((-0.1, floor), (1.1, 1.1), _wood(random))
        canvas.box((-0.1, floor - 0.03), (1.1, floor), shade(tone, random.uniform(0.6, 1.2)))
    return canvas


def _wood(random: np.random.Generator) -> Colour:
    return colour(random.uniform(0.04, 0.1), random.uniform(0.2, 0.6), random.uniform(0.2, 0.7))


def _corner(shape: Shape, random: np.random.Generator) -> Picture:
    """A room's corner with a window or a door, a socket and a radiator."""
    canvas = _wall(shape, random)
    left, width = random.uniform(0.05, 0.6), random.uniform(0.18, 0.35)
    top = random.uniform(0.08, 0.3)
    if random.random() < 0.5:
        canvas.box((left - 0.02, top - 0.02), (left + width + 0.02, top + 0.48), rgb(0.9, 0.9, 0.88))
        canvas.box((left, top), (left + width, top + 0.46), colour(0.56, random.uniform(0, 0.4), 0.98))
        canvas.box((left + 0.48 * width, top), (left + 0.52 * width, top + 0.46), rgb(0.85, 0.85, 0.83))
        canvas.box((left, top + 0.22), (left + width, top + 0.235), rgb(0.85, 0.85, 0.83))
    else:
        door = _wood(random)
        canvas.box((left, top), (left + width, 0.93), door)
        for row in range(2):
            upper = top + 0.05 + row * (0.86 - top) / 2
            canvas.box((left + 0.04, upper), (left + width - 0.04, upper + (0.7 - top) / 2), shade(door, 0.8))
        canvas.disc((left + 0.9 * width, 0.55), 0.012, rgb(0.75, 0.65, 0.3))
    for _ in range(int(random.integers(1, 4))):
        x, y = random.uniform(0.05, 0.9), random.uniform(0.5, 0.68)
        canvas.box((x, y), (x + 0.05, y + 0.05 * canvas.aspect), rgb(0.92, 0.92, 0.9))
        canvas.disc((x + 0.025, y + 0.025 * canvas.aspect), 0.013, rgb(0.7, 0.7, 0.68))
    return canvas.picture


def _visitors(shape: Shape, random: np.random.Generator) -> Picture:
    """People who stand in a room."""
    canvas = _wall(shape, random)
    for x in np.sort(random.uniform(0.05, 0.95, int(random.integers(2, 7)))):
        size = random.uniform(0.05, 0.1)
        head = (x, random.uniform(0.25, 0.5))
        skin = rgb(0.87, 0.67, 0.55) * random.uniform(0.35, 1.05)
        coat = colour(random.random(), random.uniform(0.05, 0.6), random.uniform(0.1, 0.7))
        chest, hips = head[1] + 1.3 * size * canvas.aspect, head[1] + 6.5 * size * canvas.aspect
        wide = 1.9 * size
        canvas.polygon([[x - wide, chest + 0.05], [x, chest - 0.04], [x + wide, chest + 0.05], [x + wide, hips]], coat)
        canvas.polygon([[x - wide, chest + 0.05], [x + wide, hips], [x - 0.9 * wide, hips]], coat)
        canvas.box((x - 0.8 * wide, hips), (x + 0.8 * wide, 1.2), shade(coat, 0.4))
        canvas.disc(head, (size, 1.25 * size), skin)
        hair = colour(0.08, 0.5, random.uniform(0.05, 0.7))
        canvas.disc((x, head[1] - 0.45 * size), (1.05 * size, 0.95 * size), hair)
    return canvas.picture


def _shelf(shape: Shape, random: np.random.Generator) -> Picture:
    """Shelves of books and jars, as in a museum shop."""
    wood = _wood(random)
    canvas = Canvas.filled(shape, shade(wood, 0.5))
    boards = int(random.integers(2, 5))
    for board in range(boards):
        foot, left = (board + 1) / boards, -0.02
        while left < 1:
            width, height = random.uniform(0.015, 0.07), random.uniform(0.4, 0.85) / boards
            tone = colour(random.random(), random.uniform(0.1, 0.8), random.uniform(0.2, 0.9))
            canvas.box((left, foot - height), (left + width, foot), tone)
            band = foot - height * random.uniform(0.2, 0.9)
            canvas.box((left, band), (left + width, band + 0.01), shade(tone, random.choice([0.5, 1.7])))
            left += width + (random.uniform(0.02, 0.15) if random.random() < 0.15 else 0.002)
        canvas.box((-0.1, foot - 0.02), (1.1, foot + 0.01), wood)
    return canvas.picture


def _placard(shape: Shape, random: np.random.Generator) -> Picture:
    """A wall text: lines of words, too small to be told apart."""
    canvas = _wall(shape, random)
    left, top = random.uniform(0.05, 0.4), random.uniform(0.05, 0.35)
    width, height = random.uniform(0.35, 0.55), random.uniform(0.35, 0.55)
    card = rgb(1, 1, 0.98) * random.uniform(0.8, 1)
    canvas.box((left, top), (left + width, top + height), card)
    ink = rgb(0.1, 0.1, 0.12)
    line = random.uniform(0.018, 0.035)
    for row in range(int(height / line / 1.6)):
        x, y = left + 0.05 * width, top + (1.2 + 1.6 * row) * line
        tall = line * (1.6 if row == 0 else 0.7)
        end = left + width * random.uniform(0.5, 0.95)
        while x < end:
            word = random.uniform(0.01, 0.06)
            canvas.box((x, y), (min(x + word, end), y + 0.6 * tall), ink)
            x += word + 0.01
    return canvas.picture


def _garden(shape: Shape, random: np.random.Generator) -> Picture:
    """Leaves, grass and sky."""
    sky = colour(0.57, random.uniform(0.05, 0.5), random.uniform(0.7, 1))
    canvas = Canvas.filled(shape, sky)
    hue, ground = random.uniform(0.18, 0.36), random.uniform(0.5, 0.8)
    canvas.box((-0.1, ground), (1.1, 1.1), colour(hue, 0.55, 0.45))
    for _ in range(int(random.integers(300, 900))):
        x, y = random.uniform(0, 1), random.uniform(0.1, 1) ** 0.7
        tone = colour(hue + random.normal(0, 0.03), random.uniform(0.35, 0.8), random.uniform(0.12, 0.65))
        size = random.uniform(0.008, 0.035)
        canvas.disc((x, y), (size, 0.5 * size), tone, degrees=random.uniform(0, 180))
    return canvas.picture


def _table(shape: Shape, random: np.random.Generator) -> Picture:
    """Plates, cups and cutlery seen from above."""
    canvas = Canvas.filled(shape, _wood(random))
    for _ in range(int(random.integers(3, 8))):
        centre, radius = random.uniform(0.1, 0.9, 2), random.uniform(0.06, 0.17)
        china = colour(random.random(), random.uniform(0, 0.15), random.uniform(0.75, 1))
        canvas.disc(centre + np.array([0.01, 0.015]), radius * 1.04, rgb(0.08, 0.06, 0.05))
        canvas.disc(centre, radius, china)
        canvas.disc(centre, 0.7 * radius, shade(china, 0.9))
        for _ in range(int(random.integers(0, 14))):
            food = colour(random.uniform(0, 0.35), random.uniform(0.4, 0.9), random.uniform(0.25, 0.9))
            place = centre + random.normal(0, 0.25 * radius, 2)
            canvas.disc(place, random.uniform(0.1, 0.3) * radius, food)
        knife = centre[0] + 1.3 * radius
        canvas.line([[knife, centre[1] - radius], [knife, centre[1] + radius]], rgb(0.75, 0.76, 0.78), 0.008)
    return canvas.picture


_KINDS: tuple[Callable[[Shape, np.random.Generator], Picture], ...] = (
    _corner,
    _visitors,
    _shelf,
    _placard,
    _garden,
    _table,
)
