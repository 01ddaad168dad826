"""Smooth random fields, the raw material of clouds, paper, light and brush direction."""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Field: TypeAlias = NDArray[np.float32]
"""A scalar field, float32 (height, width), usually 0..1."""

Picture: TypeAlias = NDArray[np.uint8]
"""An RGB picture, uint8 (height, width, 3), 0..255."""

Shape: TypeAlias = tuple[int, int]
"""Height and width in pixels."""

_WORD = 0xFFFFFFFF


def generator(*key: int) -> np.random.Generator:
    """Return the random stream of ``key``: the same key gives the same stream."""
    seed = np.random.SeedSequence([part & _WORD for part in key])
    return np.random.Generator(np.random.PCG64(seed))


def noise(
    random: np.random.Generator,
    shape: Shape,
    *,
    octaves: int = 5,
    base: float = 3.0,
    gain: float = 0.55,
) -> Field:
    """Return fractal noise in 0..1 with ``base`` cells along the long side."""
    return _blend(_layers(random, shape, octaves, base), gain)


def ridges(random: np.random.Generator, shape: Shape, *, octaves: int = 4, base: float = 3.0) -> Field:
    """Return fractal noise in 0..1 folded into thin bright ridges."""
    folded = (1 - np.abs(2 * layer - 1) for layer in _layers(random, shape, octaves, base))
    return _blend(folded, 0.6)


def distance(shape: Shape, x: float, y: float) -> Field:
    """Return each pixel's distance to (``x``, ``y``), in units of the long side.

    ``x`` and ``y`` are fractions of the width and the height.
    """
    height, width = shape
    rows, columns = grid(shape)
    away: Field = np.hypot(columns - x * width, rows - y * height) / np.float32(max(shape))
    return away


def grid(shape: Shape) -> tuple[Field, Field]:
    """Return the row and the column number of each pixel, float32 (height, width) each."""
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    return rows, columns


def blur(picture: Field, sigma: float) -> Field:
    """Return ``picture`` (any number of channels) blurred by a Gaussian of ``sigma`` pixels."""
    return cv2.GaussianBlur(picture, (0, 0), sigma).astype(np.float32, copy=False)


def _layers(random: np.random.Generator, shape: Shape, octaves: int, base: float) -> Iterator[Field]:
    height, width = shape
    longest = max(shape)
    for octave in range(octaves):
        cells = base * 2**octave
        rows = max(2, int(cells * height / longest) + 2)
        columns = max(2, int(cells * width / longest) + 2)
        knots = random.random((rows, columns), dtype=np.float32)
        layer = cv2.resize(knots, (width, height), interpolation=cv2.INTER_CUBIC)
        yield layer.astype(np.float32, copy=False)


def _blend(layers: Iterable[Field], gain: float) -> Field:
    total: Field | None = None
    for octave, layer in enumerate(layers):
        weighted = layer * np.float32(gain**octave)
        total = weighted if total is None else total + weighted
    if total is None:
        raise ValueError("noise needs at least one octave")
    # A sample is enough for the percentiles, and four times four times cheaper.
    low, high = np.percentile(total[::4, ::4], [1, 99])
    blended: Field = np.clip((total - low) / (high - low + 1e-6), 0, 1).astype(np.float32)
    return blended
