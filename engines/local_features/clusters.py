"""K-means in two levels, in plain numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_BLOCK = 65_536


def means(rows: Floats, count: int, *, rounds: int, random: np.random.Generator) -> Floats:
    """Return `count` centres of the rows; one that loses all its rows starts again at a random row."""
    centres = rows[random.choice(len(rows), count, replace=False)].copy()
    for _ in range(rounds):
        nearest = assign(rows, centres)
        order = np.argsort(nearest, kind="stable")
        starts = np.flatnonzero(np.diff(nearest[order], prepend=-1))
        sums = np.add.reduceat(rows[order], starts, axis=0)
        used = nearest[order][starts]
        centres[used] = sums / np.bincount(nearest, minlength=count)[used, None]
        unused = np.setdiff1d(np.arange(count), used)
        centres[unused] = rows[random.choice(len(rows), len(unused))]
    return centres


def assign(rows: Floats, centres: Floats) -> NDArray[np.intp]:
    """Return the nearest centre of each row."""
    lengths = (centres * centres).sum(axis=1)
    blocks = range(0, len(rows), _BLOCK)
    return np.concatenate([(lengths - 2 * rows[at : at + _BLOCK] @ centres.T).argmin(axis=1) for at in blocks])


def tree(rows: Floats, count: int, *, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Return `count` centres, and for each of them `count` centres of its own rows: (count, d), (count, count, d)."""
    trunk = means(rows, count, rounds=15, random=random)
    nearest = assign(rows, trunk)
    leaves = np.empty((count, count, rows.shape[1]), np.float32)
    for branch in range(count):
        own = rows[nearest == branch]
        if len(own) < 2 * count:
            around = random.normal(0, 0.02, (2 * count - len(own), rows.shape[1]))
            own = np.concatenate([own, trunk[branch] + around.astype(np.float32)])
        leaves[branch] = means(own, count, rounds=10, random=random)
    return trunk, leaves
