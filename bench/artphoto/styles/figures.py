"""Styles that show people and things: portraits, groups and still lifes."""

from dataclasses import dataclass

import numpy as np

from arthur.simulation.fields import Picture, noise
from bench.artphoto.canvas import Brief, Canvas, rgb, shade
from bench.artphoto.palettes import Colour, quantised, through


@dataclass(frozen=True, slots=True)
class _Sitter:
    """A head and its colours; ``unit`` is its half width in x, ``tall`` the same length in y."""

    x: float
    y: float
    unit: float
    tall: float
    skin: Colour
    hair: Colour

    def at(self, dx: float, dy: float) -> tuple[float, float]:
        """Return the point that lies (dx, dy) head widths from the middle of the face."""
        return self.x + dx * self.unit, self.y + dy * self.tall


def portrait(brief: Brief) -> Picture:
    """Paint one sitter, head and shoulders."""
    composition = brief.composition
    field = 0.7 * noise(composition, brief.shape, octaves=4, base=2)
    field += 0.3 * noise(brief.detail, brief.shape, octaves=4, base=5)
    ground = through(brief.palette[:3], field) * brief.artist.uniform(0.4, 1)
    canvas = Canvas(quantised(ground))
    unit = composition.uniform(0.1, 0.16) / max(0.75, canvas.aspect)
    sitter = _Sitter(
        x=0.5 + composition.normal(0, 0.06),
        y=0.38 + composition.normal(0, 0.05),
        unit=unit,
        tall=unit * canvas.aspect,
        skin=shade(rgb(0.85, 0.66, 0.52), composition.uniform(0.45, 1.1)),
        hair=shade(brief.any_colour(), 0.5),
    )
    if composition.random() < 0.5:
        canvas.disc(sitter.at(0, 0.1), (1.35 * unit, 1.75 * unit), sitter.hair)
    _body(canvas, brief, sitter)
    _face(canvas, brief, sitter)
    if composition.random() < 0.45:
        brim = [sitter.at(-1.8, -0.9), sitter.at(1.8, -0.9), sitter.at(0.9, -1.3)]
        crown = [sitter.at(0.9, -composition.uniform(1.6, 2.4)), sitter.at(-0.9, -1.9)]
        canvas.polygon([*brim, *crown, sitter.at(-0.9, -1.2)], brief.any_colour(2))
    return canvas.picture


def group(brief: Brief) -> Picture:
    """Paint several whole figures standing in a room or outdoors."""
    composition, detail = brief.composition, brief.detail
    back = through(brief.palette[:3], noise(composition, brief.shape, octaves=4, base=2))
    canvas = Canvas(quantised(back * brief.artist.uniform(0.5, 1)))
    floor = composition.uniform(0.55, 0.8)
    canvas.box((-0.1, floor), (1.1, 1.1), shade(brief.palette[3], brief.artist.uniform(0.4, 0.9)))
    people = sorted(composition.uniform(0, 1, int(composition.integers(2, 10))))
    for nearness in people:
        size = 0.04 + 0.05 * nearness
        x = composition.uniform(0.08, 0.92) + detail.normal(0, 0.012)
        foot = floor + (1 - floor) * (0.1 + 0.85 * nearness)
        figure = np.array([size, size * canvas.aspect])
        where = np.array([x, foot])
        _standing(canvas, brief, where, figure)
    return canvas.picture


def still_life(brief: Brief) -> Picture:
    """Paint fruit, bowls and vases of flowers on a table."""
    artist, composition = brief.artist, brief.composition
    wall = through(brief.palette[:3], noise(composition, brief.shape, octaves=4, base=2))
    canvas = Canvas(quantised(wall * artist.uniform(0.3, 1)))
    edge = composition.uniform(0.5, 0.7)
    table = shade(brief.palette[3], artist.uniform(0.5, 1))
    canvas.box((-0.1, edge + brief.detail.normal(0, 0.01)), (1.1, 1.1), table)
    if artist.random() < 0.5:
        for _ in range(int(artist.integers(3, 14))):
            x = composition.uniform(-0.1, 1.1)
            fold = [[x, edge], [x + composition.normal(0, 0.1), 1.05]]
            canvas.line(fold, shade(table, 0.7), 0.008)
    feet = sorted(edge + composition.uniform(0, 0.3, int(artist.integers(3, 13))))
    for y in feet:
        x = composition.uniform(0.1, 0.9) + brief.detail.normal(0, 0.015)
        size, colour = composition.uniform(0.04, 0.12), brief.any_colour()
        shadow = (x + 0.3 * size, y + 0.1 * size)
        canvas.disc(shadow, (1.2 * size, 0.35 * size), shade(table, 0.35))
        kind = int(composition.integers(4))
        if kind == 0:
            _vase(canvas, brief, np.array([x, y]), size, colour)
        elif kind == 1:
            bowl = np.array([[-0.7, 0], [-1.1, -0.9], [1.1, -0.9], [0.7, 0]]) * size
            canvas.polygon(bowl + np.array([x, y]), colour)
            canvas.disc((x, y - 0.9 * size), (1.1 * size, 0.3 * size), shade(colour, 0.6))
        else:
            _fruit(canvas, (x, y), size, colour)
    return canvas.picture


def _body(canvas: Canvas, brief: Brief, sitter: _Sitter) -> None:
    composition, cloth = brief.composition, brief.any_colour(3)
    jitter = brief.detail.normal(0, 0.05, 4)
    left, right = sitter.at(-2.6 + jitter[0], 2.6), sitter.at(2.6 + jitter[1], 2.6)
    collar = [sitter.at(-0.6, 1.9), sitter.at(0.6, 1.9)]
    hem = [(sitter.x + 3.2 * sitter.unit, 1.1), (sitter.x - 3.2 * sitter.unit, 1.1)]
    canvas.polygon([left, *collar, right, *hem], cloth)
    for _ in range(int(brief.artist.integers(0, 14))):
        top = sitter.at(composition.uniform(-2, 2), 2.6)
        bottom = (sitter.x + composition.uniform(-2.8, 2.8) * sitter.unit, 1.05)
        canvas.line([top, bottom], shade(cloth, composition.uniform(0.5, 1.4)), 0.006)
    for _ in range(int(composition.integers(0, 8))):
        button = sitter.at(composition.uniform(-1.2, 1.2), composition.uniform(2.4, 4))
        canvas.disc(button, 0.1 * sitter.unit, brief.any_colour())
    neck = [sitter.at(-0.45, 1), sitter.at(0.45, 1), sitter.at(0.5, 2.1), sitter.at(-0.5, 2.1)]
    canvas.polygon(neck, shade(sitter.skin, 0.8))


def _face(canvas: Canvas, brief: Brief, sitter: _Sitter) -> None:
    composition, unit, skin = brief.composition, sitter.unit, sitter.skin
    tilt = composition.normal(0, 8)
    canvas.disc(sitter.at(0, 0), (unit, 1.35 * unit), skin, degrees=tilt)
    canvas.disc(sitter.at(0.35, 0), (0.6 * unit, 1.2 * unit), shade(skin, 0.88), degrees=tilt)
    apart, gaze = composition.uniform(0.32, 0.45), composition.uniform(-0.3, 0.3)
    for side in (-1, 1):
        eye = side * apart + brief.detail.normal(0, 0.02)
        canvas.disc(sitter.at(eye, -0.15), (0.2 * unit, 0.1 * unit), rgb(0.95, 0.93, 0.9))
        iris = sitter.at(eye + 0.2 * gaze, -0.15)
        canvas.disc(iris, 0.09 * unit, shade(brief.palette[1], 0.4))
        brow = [sitter.at(eye - 0.25, -0.4), sitter.at(eye + 0.25, -0.4)]
        canvas.line(brow, shade(sitter.hair, 0.7), 0.01)
    bridge = 0.18 if gaze > 0 else -0.18
    nose = [sitter.at(0, -0.1), sitter.at(bridge, 0.35), sitter.at(0, 0.38)]
    canvas.line(nose, shade(skin, 0.6), 0.006)
    mouth = (composition.uniform(0.2, 0.4) * unit, 0.09 * unit)
    canvas.disc(sitter.at(0, 0.72), mouth, shade(rgb(0.7, 0.25, 0.25), composition.uniform(0.5, 1.1)))
    canvas.disc(sitter.at(0, -0.95), (1.08 * unit, 0.6 * unit), sitter.hair, degrees=tilt)


def _standing(canvas: Canvas, brief: Brief, where: np.ndarray, figure: np.ndarray) -> None:
    composition = brief.composition
    skin = shade(rgb(0.85, 0.66, 0.52), composition.uniform(0.45, 1.1))
    cloth, lean = brief.any_colour(), composition.normal(0, 0.4)
    skirt = composition.uniform(0.7, 1.8)
    coat = np.array([[-skirt, 0], [-0.9 + lean, -5], [0.9 + lean, -5], [skirt, 0]])
    canvas.polygon(coat * figure + where, cloth)
    sleeve = np.array([[0.8 + lean, -4.8], [composition.uniform(0.5, 2.6), composition.uniform(-4, -1.5)]])
    canvas.line(sleeve * figure + where, shade(cloth, 0.75), 0.5 * float(figure[0]))
    head = np.array([lean, -6]) * figure + where
    canvas.disc(head, (0.75 * float(figure[0]), float(figure[0])), skin)
    cap = np.array([lean, -6.6]) * figure + where
    canvas.disc(cap, (0.85 * float(figure[0]), 0.5 * float(figure[0])), shade(brief.any_colour(), 0.5))


def _fruit(canvas: Canvas, foot: tuple[float, float], size: float, colour: Colour) -> None:
    for step in range(6):
        centre = (foot[0] - 0.12 * size * step, foot[1] - size - 0.1 * size * step)
        canvas.disc(centre, size * (1 - step / 6.5), shade(colour, 0.55 + 0.12 * step))


def _vase(canvas: Canvas, brief: Brief, foot: np.ndarray, size: float, colour: Colour) -> None:
    composition = brief.composition
    height = size * composition.uniform(2, 4)
    half = np.array([[0.6, 0], [1, -0.4], [0.35, -0.75], [0.55, -1]]) * [size, height]
    outline = np.concatenate([half * [-1, 1], half[::-1]])
    canvas.polygon(outline + foot, colour)
    canvas.polygon(outline * [0.3, 1] + foot - [0.25 * size, 0], shade(colour, 1.35))
    mouth = foot - [0, height]
    for _ in range(int(composition.integers(0, 13))):
        flower = mouth + np.array([composition.normal(0, size), -abs(composition.normal(0, 1.4 * size))])
        canvas.line(np.stack([mouth, flower]), rgb(0.2, 0.4, 0.15), 0.005)
        canvas.disc(flower, 0.35 * size, brief.any_colour())
