"""Packed local features that depend on a key alone, and photos of the works they describe."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from arthur.types import Keys, LocalQuery

FEATURES = 24
WORDS = 60
SIDE = 640


@dataclass(frozen=True)
class Drawing:
    """Features of one work: (n,) each, places in 65535ths of the picture's sides."""

    x: NDArray[np.uint16]
    y: NDArray[np.uint16]
    scale: NDArray[np.uint8]
    angle: NDArray[np.uint8]
    words: NDArray[np.uint16]
    signatures: NDArray[np.uint64]


def drawing(key: int, *, n: int = FEATURES) -> Drawing:
    """Draw the features of the work `key`: few words, and signatures that other works come near to."""
    random = np.random.default_rng((7, key))
    common = np.random.default_rng(8).integers(0, 1 << 64, WORDS, np.uint64)
    words = random.integers(0, WORDS, n, np.uint16)
    noise = np.packbits(random.random((n, 64)) < 0.2, axis=1).view(np.uint64)[:, 0]
    places = random.integers(0, 1 << 16, (2, n), np.uint16)
    sizes, turns = random.integers(32, 80, n, np.uint8), random.integers(0, 256, n, np.uint8)
    return Drawing(places[0], places[1], sizes, turns, words, common[words] ^ noise)


def packed(drawn: Drawing, *, code_bytes: int = 3) -> bytes:
    """Return the features as the catalog stores them."""
    n = len(drawn.words)
    head = b"ALF1" + np.array([SIDE, SIDE * 3 // 4, n], "<u2").tobytes() + bytes([code_bytes, 0, 0, 0, 0, 0])
    columns = [drawn.x, drawn.y, drawn.scale, drawn.angle, drawn.words, drawn.signatures]
    return head + b"".join(column.tobytes() for column in columns) + bytes(n * code_bytes)


def described(keys: Keys) -> list[bytes]:
    """Return the packed features of the works of these keys."""
    return [_described(key) for key in keys.tolist()]


@cache
def _described(key: int) -> bytes:
    return packed(drawing(key))


def photo(key: int, *, turn: float = 0.3, size: float = 0.5, seed: int = 1) -> LocalQuery:
    """Return a photo of the work `key`, turned and made smaller, whose features have a second, wrong word each."""
    drawn, random = drawing(key), np.random.default_rng((seed, key))
    n = len(drawn.words)
    sides = np.array([SIDE, SIDE * 3 // 4])
    places = np.stack([drawn.x, drawn.y], axis=1) / 65535 * sides * size
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    noise = np.packbits(random.random((n, 64)) < 0.05, axis=1).view(np.uint64)[:, 0]
    wrong = random.integers(0, WORDS, n, np.uint16)
    return LocalQuery(
        words=np.stack([drawn.words, wrong], axis=1),
        signatures=np.stack([drawn.signatures ^ noise, random.integers(0, 1 << 64, n, np.uint64)], axis=1),
        points=(places @ axes + 100).astype(np.float32),
        scales=(size * 2 ** (drawn.scale / 16)).astype(np.float32),
        angles=(turn + drawn.angle * (2 * np.pi / 256)).astype(np.float32),
    )


def nothing() -> LocalQuery:
    """Return a photo without features."""
    return LocalQuery(
        words=np.empty((0, 3), np.uint16),
        signatures=np.empty((0, 3), np.uint64),
        points=np.empty((0, 2), np.float32),
        scales=np.empty(0, np.float32),
        angles=np.empty(0, np.float32),
    )
