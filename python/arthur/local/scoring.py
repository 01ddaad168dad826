"""How matches become scores: the measure of every adapter, written for reading."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arthur.local.packed import Features
from arthur.types import LocalQuery

BANDWIDTH = 16.0
"""Distance in bits at which a match weighs 1/e of what one without distance does."""
MAX_MATCHES = 1 << 14
"""A feature that is like more features of views than this says nothing."""
PROPOSERS = 32
"""Matches, heaviest first, that propose where a view lies."""
MISS, MISS_BY_DISTANCE = 0.05, 0.4
"""What another match may miss, as a share of the view's longer side, and of its distance from the proposer."""
TURN, ENLARGEMENT = 0.7, 1.2
"""What it may differ in, radians and octaves."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """The nearest match of each of the photo's features in one view: three arrays of (m,).

    Attributes:
        asked: features of the photo, ascending.
        found: features of the view.
        distances: bits in which their signatures differ.
    """

    asked: NDArray[np.intp]
    found: NDArray[np.intp]
    distances: NDArray[np.intp]


def like(query: LocalQuery, view: Features, threshold: int) -> NDArray[np.intp]:
    """Return (m, 4) rows: feature of the photo, distance, rank of the word, feature of the view."""
    asked, ranks, found = np.nonzero(query.words[:, :, None] == view.words)
    distances = np.bitwise_count(query.signatures[asked, ranks] ^ view.signatures[found]).astype(np.intp)
    near = np.flatnonzero(distances <= threshold)
    return np.stack([column[near] for column in (asked, distances, ranks, found)], axis=1)


def nearest(rows: NDArray[np.intp]) -> Matches:
    """Keep the nearest of the rows of each feature of the photo; of equally near ones that of the nearer word."""
    ordered = rows[np.lexsort(rows.T[::-1])]
    asked, first = np.unique(ordered[:, 0], return_index=True)
    return Matches(asked, ordered[first, 3], ordered[first, 1])


def score(query: LocalQuery, view: Features, matches: Matches, views_of: NDArray[np.intp]) -> float:
    """Return the weight of the matches that agree, relative to the features of both.

    `views_of` are (n,): how many views each feature of the photo is like.
    """
    weights = np.exp(-((matches.distances / BANDWIDTH) ** 2)) / np.sqrt(views_of[matches.asked])
    return float(_consensus(query, view, matches, weights) / np.sqrt(len(view.words) * len(query)))


def _consensus(query: LocalQuery, view: Features, matches: Matches, weights: Floats) -> float:
    asked, found = matches.asked, matches.found
    turns = query.angles[asked].astype(np.float64) - view.angles[found]
    enlargements = np.log2(query.scales[asked].astype(np.float64)) - view.scales[found]
    proposers = np.argsort(-weights, kind="stable")[:PROPOSERS]
    size = 2.0 ** enlargements[proposers, None]
    x, y = np.moveaxis(view.points[found][None] - view.points[found][proposers, None], 2, 0)
    points = query.points[asked].astype(np.float64)
    u, v = np.moveaxis(points[None] - points[proposers, None], 2, 0) / size
    sine, cosine = np.sin(turns[proposers, None]), np.cos(turns[proposers, None])
    missed = np.hypot(u - (cosine * x - sine * y), v - (sine * x + cosine * y))
    turned = (turns[None] - turns[proposers, None] + np.pi) % (2 * np.pi) - np.pi
    enlarged = enlargements[None] - enlargements[proposers, None]
    off = (missed / (MISS + MISS_BY_DISTANCE * np.hypot(x, y))) ** 2
    off += (turned / TURN) ** 2 + (enlarged / ENLARGEMENT) ** 2
    return float((weights * np.maximum(1 - off, 0)).sum(axis=1).max())
