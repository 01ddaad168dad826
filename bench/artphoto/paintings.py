"""Procedural paintings: endless artworks, free of any licence, each a pure function of three seeds.

The ``artist`` seed fixes style, palette and brush; the ``composition`` seed the layout; the
``detail`` seed strokes and small shifts. Works that share artist and composition form a series:
near-duplicates that a catalogue must still tell apart.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from arthur.simulation.fields import Field, Picture, Shape, blur, generator, grid, noise, ridges
from bench.artphoto.canvas import Brief
from bench.artphoto.palettes import palette
from bench.artphoto.styles import abstract, figures, graphic, scenes

WORKS_PER_ARTIST = 8
"""Works by one artist in a catalogue made by ``work``."""

_SERIES_SHARE = 0.3
"""Share of an artist's later works that repeat an earlier composition."""


@dataclass(frozen=True, slots=True)
class Style:
    """A way to paint: how often artists choose it, its usual format, how often it shows brushwork.

    Attributes:
        paint: The drawing itself.
        weight: Relative number of artists who paint this way.
        aspect: Typical width over height.
        brushed: Share of its artists who work in visible brush strokes.
    """

    paint: Callable[[Brief], Picture]
    weight: float
    aspect: float = 1.0
    brushed: float = 0.25


STYLES: tuple[Style, ...] = (
    Style(abstract.clouds, 0.8, brushed=0.65),
    Style(abstract.rings, 0.5),
    Style(abstract.shapes, 1.0, brushed=0.5),
    Style(abstract.panels, 0.6),
    Style(abstract.colour_fields, 0.35),
    Style(abstract.drips, 0.7),
    Style(abstract.mosaic, 0.6),
    Style(scenes.landscape, 1.6, aspect=1.25, brushed=0.65),
    Style(scenes.seascape, 0.8, aspect=1.25, brushed=0.65),
    Style(scenes.city, 1.0, aspect=1.25, brushed=0.65),
    Style(figures.portrait, 1.7, aspect=0.8, brushed=0.65),
    Style(figures.group, 1.0, brushed=0.65),
    Style(figures.still_life, 1.3, brushed=0.65),
    Style(graphic.poster, 0.9, aspect=0.8),
    Style(graphic.pattern, 0.8),
    Style(graphic.etching, 1.0),
    Style(graphic.brush_drawing, 0.6),
)


def painting(artist: int, composition: int, detail: int, *, size: int = 512) -> Picture:
    """Paint one work.

    Args:
        artist: Seed of the style, the palette and the brush.
        composition: Seed of the layout.
        detail: Seed of strokes, small shifts and paper.
        size: Long side in pixels, at least 64.

    Returns:
        The work: uint8 RGB (height, width, 3) whose longer side is ``size``.
    """
    by_artist = generator(1, artist)
    by_composition = generator(2, artist, composition)
    by_detail = generator(3, artist, composition, detail)
    weights = np.array([style.weight for style in STYLES])
    style = STYLES[int(by_artist.choice(len(STYLES), p=weights / weights.sum()))]
    colours = palette(by_artist)
    brushed = by_artist.random() < style.brushed
    shape = _shape(by_composition, style.aspect, size)
    if by_composition.random() < 0.6:
        colours = by_composition.permutation(colours)
    colours = colours + by_detail.normal(0, 0.03, colours.shape).astype(np.float32)
    brief = Brief(shape, np.clip(colours, 0, 1), by_artist, by_composition, by_detail)
    picture = style.paint(brief)
    if brushed:
        picture = _brushwork(picture, generator(4, artist), by_detail)
    return _surface(picture, generator(5, artist), by_detail)


def work(number: int, *, seed: int = 0) -> tuple[int, int, int]:
    """Return (artist, composition, detail) of a catalogue's ``number``-th work.

    Each artist has ``WORKS_PER_ARTIST`` works in a row; some repeat an earlier composition.
    """
    artist, place = divmod(number, WORKS_PER_ARTIST)
    random = generator(6, seed, number)
    composition, detail = place, 0
    if place > 0 and random.random() < _SERIES_SHARE:
        composition, detail = int(random.integers(place)), place
    return seed * 1_000_003 + artist, composition, detail


def _shape(random: np.random.Generator, aspect: float, size: int) -> Shape:
    aspect = float(np.clip(aspect * np.exp(random.normal(0, 0.28)), 0.55, 1.8))
    return (size, int(size * aspect)) if aspect < 1 else (int(size / aspect), size)


def _brushwork(picture: Picture, artist: np.random.Generator, detail: np.random.Generator) -> Picture:
    """Repaint a picture in strokes, broad ones first, each in the colour found below it."""
    longest = max(picture.shape)
    source = cv2.GaussianBlur(picture, (0, 0), longest / 200).astype(np.uint8, copy=False)
    out = source.copy()
    angles = _directions(source, artist, detail)
    variation, length = artist.uniform(3, 20), artist.uniform(1.2, 4)
    broad = artist.uniform(0.008, 0.022)
    for radius, count in ((broad, 700), (broad / 2, 1500)):
        rows = detail.integers(0, picture.shape[0], count)
        columns = detail.integers(0, picture.shape[1], count)
        tones = detail.normal(0, variation, (count, 1)) + detail.normal(0, variation / 2, (count, 3))
        colours = np.clip(source[rows, columns] + tones, 0, 255)
        turn = angles[rows, columns] + detail.normal(0, 0.15, count)
        reach = radius * longest * length * detail.uniform(0.5, 1.3, count)
        along = np.stack([np.cos(turn), np.sin(turn)], 1) * reach[:, None]
        centre = np.stack([columns, rows], 1)
        # Two bits after the point keep slow curves smooth.
        ends = np.stack([centre - along, centre + along], 1) * 4
        thickness = max(1, int(radius * longest * 1.3))
        for (start, end), colour in zip(ends.astype(int).tolist(), colours.tolist(), strict=True):
            cv2.line(out, start, end, colour, thickness, cv2.LINE_8, 2)
    return out


def _directions(source: Picture, artist: np.random.Generator, detail: np.random.Generator) -> Field:
    """Return the stroke angle at each pixel: a slow swirl, or along the edges of the subject."""
    swirl = noise(detail, source.shape[:2], octaves=3, base=artist.uniform(1.5, 4))
    angles = swirl * artist.uniform(2, 7) + artist.uniform(0, 3)
    if artist.random() < 0.5:
        return angles
    grey = cv2.cvtColor(source, cv2.COLOR_RGB2GRAY)
    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=5)
    down = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=5)
    along = np.arctan2(down, across) + np.pi / 2
    return np.where(np.hypot(across, down) > 60, along, angles).astype(np.float32)


def _surface(picture: Picture, artist: np.random.Generator, detail: np.random.Generator) -> Picture:
    """Add the grain of the paint, and canvas weave or cracks where the artist's works have them."""
    shape = picture.shape[:2]
    grain = noise(detail, shape, base=24, gain=0.8) - 0.5
    light = 1 + 0.16 * grain
    weave, cracked = artist.random(), artist.random() < 0.15
    if weave < 0.5:
        rows, columns = grid(shape)
        step = 2 * np.pi * (180 + 160 * weave) / max(shape)
        light = light * (1 + 0.05 * np.sin(columns * step) * np.sin(rows * step))
    if cracked:
        cracks = np.clip((ridges(detail, shape, base=14) - 0.88) / 0.08, 0, 1)
        light = light * (1 - 0.5 * blur(cracks, 0.5))
    return np.clip(picture * light[..., None], 0, 255).astype(np.uint8)
