"""A picture to draw on in unit coordinates, and the brief a style paints from."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from arthur.simulation.fields import Picture, Shape
from bench.artphoto.palettes import Colour, Palette, quantised

Points: TypeAlias = NDArray[np.float64] | Sequence[Sequence[float]]
"""Points (n, 2) as (x, y); 0..1 spans the picture, and points may lie outside it."""

Point: TypeAlias = NDArray[np.float64] | Sequence[float]
"""One such point."""

_FRACTION_BITS = 4
"""OpenCV draws with fixed-point coordinates: this many bits after the point."""


@dataclass(frozen=True, slots=True)
class Brief:
    """What a style paints from.

    Attributes:
        shape: Height and width of the work.
        palette: The artist's colours, already jittered for this work.
        artist: Stream shared by all works of the artist.
        composition: Stream shared by all works with this composition.
        detail: Stream of this one work.
    """

    shape: Shape
    palette: Palette
    artist: np.random.Generator
    composition: np.random.Generator
    detail: np.random.Generator

    def any_colour(self, first: int = 0) -> Colour:
        """Return a colour of the palette chosen by the composition, from index ``first`` on."""
        return self.palette[int(self.composition.integers(first, len(self.palette)))]


class Canvas:
    """A picture drawn on in place; lengths are fractions of the width unless said otherwise."""

    def __init__(self, picture: Picture) -> None:
        self.picture = np.ascontiguousarray(picture)
        self.height, self.width = picture.shape[:2]

    @classmethod
    def filled(cls, shape: Shape, colour: Colour) -> "Canvas":
        """Return a canvas of one colour."""
        return cls(np.full((*shape, 3), quantised(colour), np.uint8))

    @property
    def aspect(self) -> float:
        """Width over height: multiply a width fraction by it to get the same length in y."""
        return self.width / self.height

    @property
    def longest(self) -> int:
        """The long side in pixels."""
        return max(self.height, self.width)

    def polygon(self, points: Points, colour: Colour) -> None:
        """Fill a polygon."""
        cv2.fillPoly(self.picture, [self._fixed(points)], _scalar(colour), cv2.LINE_AA, _FRACTION_BITS)

    def line(self, points: Points, colour: Colour, thickness: float) -> None:
        """Draw an open line; ``thickness`` is a fraction of the long side."""
        pixels = max(1, round(thickness * self.longest))
        cv2.polylines(
            self.picture,
            [self._fixed(points)],
            isClosed=False,
            color=_scalar(colour),
            thickness=pixels,
            lineType=cv2.LINE_AA,
            shift=_FRACTION_BITS,
        )

    def disc(
        self,
        centre: Point,
        radius: float | tuple[float, float],
        colour: Colour,
        *,
        degrees: float = 0.0,
        outline: float = 0.0,
    ) -> None:
        """Fill an ellipse, or draw its ``outline`` (a thickness as in ``line``).

        ``radius`` is one radius, or two along the turned axes; both fractions of the width.
        """
        radii = radius if isinstance(radius, tuple) else (radius, radius)
        scale = self.width * 2**_FRACTION_BITS
        cv2.ellipse(
            self.picture,
            (int(centre[0] * scale), int(centre[1] * self.height * 2**_FRACTION_BITS)),
            (max(1, int(abs(radii[0]) * scale)), max(1, int(abs(radii[1]) * scale))),
            degrees,
            0,
            360,
            _scalar(colour),
            max(1, round(outline * self.longest)) if outline else cv2.FILLED,
            cv2.LINE_AA,
            _FRACTION_BITS,
        )

    def box(self, corner: Point, opposite: Point, colour: Colour) -> None:
        """Fill the rectangle between two corners."""
        (x0, y0), (x1, y1) = corner, opposite
        self.polygon([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], colour)

    def _fixed(self, points: Points) -> NDArray[np.int32]:
        scaled = np.asarray(points) * [self.width, self.height] * 2**_FRACTION_BITS
        return scaled.astype(np.int32).reshape(-1, 1, 2)


def bezier(random: np.random.Generator, knots: int, *, samples: int = 40) -> NDArray[np.float64]:
    """Return a random smooth curve (samples, 2) that stays just around the picture."""
    steps = np.linspace(0, 1, samples)[:, None]
    control = [np.tile(point, (samples, 1)) for point in random.uniform(-0.1, 1.1, (knots, 2))]
    while len(control) > 1:
        control = [start * (1 - steps) + end * steps for start, end in pairwise(control)]
    return control[0]


def shade(colour: Colour, factor: float) -> Colour:
    """Return the colour darkened (factor < 1) or lightened (> 1)."""
    return np.clip(colour * np.float32(factor), 0, 1)


def rgb(red: float, green: float, blue: float) -> Colour:
    """Return a colour from three numbers in 0..1."""
    return np.array([red, green, blue], np.float32)


def _scalar(colour: Colour) -> tuple[float, float, float]:
    red, green, blue = (float(part) for part in np.clip(colour * 255, 0, 255))
    return red, green, blue
