"""Colours: the palettes an artist works with, and scalar fields painted through them."""

from collections.abc import Callable
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from arthur.simulation.fields import Field, Picture

Colour: TypeAlias = NDArray[np.float32]
"""An RGB colour, float32 (3,), 0..1."""

Palette: TypeAlias = NDArray[np.float32]
"""Colours of one artist, float32 (n, 3), 0..1."""

COLOURS = 7


def colour(hue: float, saturation: float, value: float) -> Colour:
    """Return the RGB colour of a hue in turns (any real), a saturation and a value (clipped)."""
    pixel = np.array([[[hue % 1.0 * 360, np.clip(saturation, 0, 1), np.clip(value, 0, 1)]]], np.float32)
    return cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB)[0, 0].astype(np.float32, copy=False)


def palette(random: np.random.Generator) -> Palette:
    """Draw a palette of ``COLOURS`` colours by one of nine schemes."""
    scheme = _SCHEMES[int(random.integers(len(_SCHEMES)))]
    hue = random.random()
    rows = [scheme(random, hue, index) for index in range(COLOURS)]
    return np.array(rows, np.float32)


def through(colours: Palette, field: Field) -> NDArray[np.float32]:
    """Paint a field (0..1) through ``colours``: float32 (height, width, 3), 0..1."""
    position = np.clip(field, 0, 1) * (len(colours) - 1)
    below = np.minimum(position.astype(np.int32), len(colours) - 2)
    share = (position - below)[..., None].astype(np.float32)
    return colours[below] * (1 - share) + colours[below + 1] * share


def quantised(picture: NDArray[np.float32]) -> Picture:
    """Return a picture in 0..1 as uint8, clipped and rounded."""
    return np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8)


def _analogous(random: np.random.Generator, hue: float, _: int) -> Colour:
    return colour(hue + 0.11 * random.normal(), random.uniform(0.25, 0.85), random.uniform(0.2, 1))


def _complementary(random: np.random.Generator, hue: float, index: int) -> Colour:
    shifted = hue + 0.5 * (index % 2) + 0.03 * random.normal()
    return colour(shifted, random.uniform(0.3, 0.9), random.uniform(0.2, 1))


def _triad(random: np.random.Generator, hue: float, index: int) -> Colour:
    shifted = hue + (index % 3) / 3 + 0.02 * random.normal()
    return colour(shifted, random.uniform(0.3, 0.85), random.uniform(0.25, 0.95))


def _earth(random: np.random.Generator, _: float, index: int) -> Colour:
    light = 0.12 + 0.8 * index / (COLOURS - 1)
    return colour(0.04 + 0.09 * random.random(), random.uniform(0.2, 0.75), light)


def _monochrome(random: np.random.Generator, hue: float, index: int) -> Colour:
    return colour(hue, random.uniform(0, 0.35), 0.08 + 0.88 * index / (COLOURS - 1))


def _pastel(random: np.random.Generator, _: float, __: int) -> Colour:
    return colour(random.random(), random.uniform(0.1, 0.4), random.uniform(0.75, 1))


def _muted(random: np.random.Generator, hue: float, index: int) -> Colour:
    light = 0.2 + 0.7 * index / (COLOURS - 1)
    return colour(hue + 0.25 * random.normal(), random.uniform(0.1, 0.45), light)


def _vivid(random: np.random.Generator, _: float, __: int) -> Colour:
    return colour(random.random(), random.uniform(0.7, 1), random.uniform(0.5, 1))


def _dark(random: np.random.Generator, hue: float, index: int) -> Colour:
    accent = 0.35 if index == COLOURS - 1 else 0.0
    light = 0.05 + 0.55 * index / (COLOURS - 1) * random.random() + accent
    return colour(hue + 0.12 * random.normal(), random.uniform(0.2, 0.8), light)


_SCHEMES: tuple[Callable[[np.random.Generator, float, int], Colour], ...] = (
    _analogous,
    _complementary,
    _triad,
    _earth,
    _monochrome,
    _pastel,
    _muted,
    _vivid,
    _dark,
)
