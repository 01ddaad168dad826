"""Printed covers of a series: each its own picture and title, all the same banner, logo, lettering and small print.

They are what the decision must not be taken in by: covers of one series share features by the dozen, all in a few
places.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from arthur.simulation.fields import Picture, generator
from bench.artphoto.canvas import Canvas, bezier, rgb
from bench.artphoto.paintings import painting
from bench.artphoto.palettes import Palette, palette, quantised
from bench.artphoto.styles.graphic import FACES, WORDS

ARTISTS = 1_300_000
"""First artist who paints for covers; a million artists of its own for each seed are far from it."""
_SYLLABLES = ("LO", "RA", "MI", "TEN", "DU", "SA", "VOR", "EL", "KI", "NA", "PRO", "STE", "BAL", "GO", "RI", "UM")


@dataclass(frozen=True, slots=True)
class Design:
    """What the covers of a series have in common.

    Attributes:
        aspect: width over height.
        banner: its top and bottom, as shares of the height.
        title: baseline of the title, as a share of the height.
        print_top: where the small print begins.
        ground: whether the picture leaves a plain margin.
    """

    colours: Palette
    aspect: float
    banner: tuple[float, float]
    title: float
    print_top: float
    ground: bool
    face: int


def cover(series: int, number: int, *, size: int = 512) -> Picture:
    """Print the `number`-th cover of a series.

    Args:
        series: seed of the layout.
        number: seed of the picture and of the title.
        size: long side in pixels, at least 64.

    Returns:
        uint8 RGB (height, width, 3), higher than wide.
    """
    layout = design(series)
    own = generator(42, series, number)
    canvas = Canvas.filled((size, int(size * layout.aspect)), layout.colours[0])
    _fill(canvas, layout, painting(ARTISTS + series % 1000 * 1000 + number, 0, 0, size=size))
    if own.random() < 0.5:
        _scatter(canvas, own)
    _banner(canvas, layout, generator(43, series))
    _title(canvas, layout, own)
    _small_print(canvas, layout, generator(44, series))
    return canvas.picture


def design(series: int) -> Design:
    """Return what the covers of a series have in common."""
    random = generator(41, series)
    top = float(random.choice([0.0, 0.0, 0.88, random.uniform(0.1, 0.7)]))
    return Design(
        colours=palette(random),
        aspect=float(random.uniform(0.64, 0.8)),
        banner=(top, top + float(random.uniform(0.06, 0.14))),
        title=float(random.uniform(0.2, 0.8)),
        print_top=float(random.uniform(0.84, 0.93)),
        ground=bool(random.random() < 0.3),
        face=FACES[int(random.integers(len(FACES)))],
    )


def _fill(canvas: Canvas, layout: Design, picture: Picture) -> None:
    """Lay the picture over the cover, cut to its shape."""
    edge = int(canvas.width * 0.06) if layout.ground else 0
    height, width = canvas.height - 2 * edge, canvas.width - 2 * edge
    growth = max(height / picture.shape[0], width / picture.shape[1])
    large = cv2.resize(picture, None, fx=growth * 1.001, fy=growth * 1.001, interpolation=cv2.INTER_AREA)
    top, left = (large.shape[0] - height) // 2, (large.shape[1] - width) // 2
    canvas.picture[edge : edge + height, edge : edge + width] = large[top : top + height, left : left + width]


def _banner(canvas: Canvas, layout: Design, random: np.random.Generator) -> None:
    """Print the banner of the series: its name, its logo and a few lines."""
    (top, bottom), colours = layout.banner, layout.colours
    canvas.box((0, top), (1, bottom), colours[1])
    middle, half = (top + bottom) / 2, (bottom - top) / 2
    radius = half / canvas.aspect * 0.8
    canvas.disc((0.1, middle), radius, colours[2])
    canvas.line((bezier(random, 5) - 0.5) * [1.4 * radius, 1.4 * half] + [0.1, middle], colours[3], 0.006)
    name = " ".join(random.choice(WORDS, 2))
    _print(canvas, name, (0.2, middle + half * 0.45), layout.face, height=half, ink=colours[4])


def _title(canvas: Canvas, layout: Design, own: np.random.Generator) -> None:
    for line in range(int(own.integers(1, 3))):
        words = ("".join(own.choice(_SYLLABLES, int(own.integers(2, 4)))) for _ in range(int(own.integers(1, 3))))
        place = (0.06, layout.title + 0.09 * line)
        _print(canvas, " ".join(words), place, layout.face, height=float(own.uniform(0.035, 0.06)), ink=rgb(1, 1, 0.9))


def _small_print(canvas: Canvas, layout: Design, random: np.random.Generator) -> None:
    """Print the lines that all covers of the series carry at their foot."""
    for line in range(int(random.integers(1, 5))):
        words = " ".join("".join(random.choice(_SYLLABLES, 3)) for _ in range(5))
        place = (0.08, layout.print_top + 0.022 * line)
        _print(canvas, words, place, cv2.FONT_HERSHEY_SIMPLEX, height=0.013, ink=rgb(0.9, 0.9, 0.9))


def _scatter(canvas: Canvas, own: np.random.Generator) -> None:
    """Draw a few curves over the picture."""
    for _ in range(int(own.integers(1, 6))):
        canvas.line(bezier(own, 4), rgb(*own.uniform(0, 1, 3)), float(own.uniform(0.003, 0.02)))


def _print(canvas: Canvas, text: str, place: tuple[float, float], face: int, *, height: float, ink: Palette) -> None:
    """Write a line; `height` of its letters and `place`, its lower left, are shares of the cover's size."""
    scale = height * canvas.height / 22
    at = int(place[0] * canvas.width), int(place[1] * canvas.height)
    thickness = max(1, round(scale * 1.6))
    cv2.putText(canvas.picture, text, at, face, scale, quantised(ink).tolist(), thickness, cv2.LINE_AA)
