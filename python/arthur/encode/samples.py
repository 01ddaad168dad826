"""Drawn pictures on which two graphs of an engine are compared where the operator gives none of their own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arthur.types import Pixels

_GRAINS = ((3, 90.0), (9, 45.0), (40, 20.0))
"""Cells along an edge, and how far their colours reach: large forms, details, texture."""


def drawn(side: int, *, count: int, seed: int = 0) -> Pixels:
    """Draw `(count, side, side, 3)` pictures of soft forms with details, equal on every machine."""
    rng = np.random.default_rng(seed)
    pictures = np.full((count, side, side, 3), 128.0)
    for cells, reach in _GRAINS:
        coarse = rng.uniform(-reach, reach, (count, cells, cells, 3))
        matrix = _soft(cells, side)
        pictures += np.einsum("ai,bj,nijc->nabc", matrix, matrix, coarse, optimize=True)
    squares: Pixels = np.clip(pictures, 0, 255).astype(np.uint8)
    return squares


def altered(pictures: Pixels, *, seed: int = 1) -> Pixels:
    """Return each picture as a photo might show it: moved a little, darker, and with noise."""
    rng = np.random.default_rng(seed)
    step = max(1, pictures.shape[1] // 32)
    moved = np.roll(pictures, (step, -step), axis=(1, 2)).astype(np.float64)
    noisy = moved * 0.85 + rng.normal(6, 6, moved.shape)
    squares: Pixels = np.clip(noisy, 0, 255).astype(np.uint8)
    return squares


def _soft(cells: int, side: int) -> NDArray[np.float64]:
    """Return the (side, cells) matrix that spreads a row of cells over an edge, straight from one to the next."""
    places = np.linspace(0, cells - 1, side)[:, None]
    weights: NDArray[np.float64] = np.clip(1 - np.abs(places - np.arange(cells)), 0, 1)
    return weights
