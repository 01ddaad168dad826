"""Synthetic packed features: words used as unevenly as real ones, random signatures, photos of known works."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arthur.types import LocalQuery

FEATURES = 248
WORDS = 1 << 16
SIDE = 640
# With these a query of 400 features with 3 words each touches 3.6 % of all postings, as queries of real photos do.
FLATTENED, EXPONENT = 40, 0.5
_TABLE = 1 << 22


@dataclass(frozen=True, slots=True)
class Works:
    """Draws works in blocks; the same seed and block give the same works.

    Attributes:
        table: words, each as often as it is used.
    """

    table: NDArray[np.uint16]
    seed: int

    def block(self, number: int, count: int) -> NDArray[np.uint8]:
        """Return (count, bytes) packed features of the works of one block."""
        random = np.random.default_rng((self.seed, number))
        size = (count, FEATURES)
        columns = [
            random.integers(0, 1 << 16, size, np.uint16),
            random.integers(0, 1 << 16, size, np.uint16),
            random.integers(16, 96, size, np.uint8),
            random.integers(0, 256, size, np.uint8),
            self.table[random.integers(0, len(self.table), size)],
            random.integers(0, 1 << 64, size, np.uint64),
        ]
        head = b"ALF1" + np.array([SIDE, SIDE, FEATURES], "<u2").tobytes() + bytes(6)
        heads = np.broadcast_to(np.frombuffer(head, np.uint8), (count, len(head)))
        return np.concatenate([heads, *(column.view(np.uint8).reshape(count, -1) for column in columns)], axis=1)


def works(seed: int) -> Works:
    """Return works whose words follow a flattened law of Zipf."""
    shares = (np.arange(WORDS) + FLATTENED) ** -EXPONENT
    edges = np.cumsum(shares / shares.sum())
    random = np.random.default_rng(seed)
    ranks = np.minimum(np.searchsorted(edges, random.random(_TABLE)), WORDS - 1)
    return Works(random.permutation(WORDS).astype(np.uint16)[ranks], seed)


def photos(
    drawn: Works, targets: NDArray[np.uint8], *, seen: int = 80, n: int = 400, a: int = 3
) -> Iterator[LocalQuery]:
    """Yield a photo of each packed work: `seen` of its `n` features are the work's, turned, moved and blurred."""
    random = np.random.default_rng(drawn.seed + 1)
    for packed in targets:
        yield _photo(drawn, packed, random, (seen, n, a))


def _photo(
    drawn: Works, packed: NDArray[np.uint8], random: np.random.Generator, sizes: tuple[int, int, int]
) -> LocalQuery:
    seen, n, a = sizes
    chosen = random.choice(FEATURES, seen, replace=False)
    body = packed[16:].tobytes()

    def column(kind: str, offset: int) -> NDArray[np.generic]:
        return np.frombuffer(body, kind, FEATURES, offset * FEATURES)[chosen]

    words = drawn.table[random.integers(0, len(drawn.table), (n, a))]
    signatures = random.integers(0, 1 << 64, (n, a), np.uint64)
    words[:seen, 0], signatures[:seen, 0] = column("<u2", 6), column("<u8", 8) ^ _noise(random, seen)
    turn, size = random.uniform(-np.pi, np.pi), random.uniform(0.3, 0.9)
    places = np.stack([column("<u2", 0), column("<u2", 2)], axis=1) / 65535 * SIDE * size
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    points = random.uniform(0, SIDE, (n, 2))
    points[:seen] = places @ axes + random.normal(SIDE / 2, 4, (seen, 2))
    scales, angles = 2 ** random.uniform(1, 6, n), random.uniform(-np.pi, np.pi, n)
    scales[:seen] = size * 2 ** (column(np.uint8, 4) / 16 + random.normal(0, 0.15, seen))
    angles[:seen] = turn + column(np.uint8, 5) * (2 * np.pi / 256) + random.normal(0, 0.1, seen)
    kind = np.float32
    return LocalQuery(words, signatures, points.astype(kind), scales.astype(kind), angles.astype(kind))


def _noise(random: np.random.Generator, count: int) -> NDArray[np.uint64]:
    """Return (count,) patterns in which each bit is set with a probability of 0.18: 11.5 of 64."""
    bits = random.random((count, 64)) < 0.18
    return np.packbits(bits, axis=1).view(np.uint64)[:, 0]
