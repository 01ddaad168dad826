"""Synthetic embeddings with the shape of real ones: clusters of very different sizes, few directions in each.

The centres of 2,000 clusters whose sizes follow Zipf's law lie in 12 common dimensions, so that clusters have
neighbours; each of 64 families of clusters spreads along 38 to 50 directions of its own, ever less along each. Half of
the queries are noisy copies of items.

The widths of these are chosen so that plain usearch (f16, M 16, efConstruction 128, top 10, seed 20) finds with 32, 64,
128 and 256 candidates .992, .997, .997 and .998 of the neighbours among 50,000 items, and .981, .992, .996 and .998
among 200,000.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arthur.types import Keys, Vectors

DIM = 512
CLUSTERS = 2000
CENTRE_DIM = 12
LOCAL_DIMS = (38, 50)
FAMILIES = 64
DECAY = 0.75
NOISE = 0.3
ARTISTS_PER_CLUSTER = 10


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Items to index and queries to ask.

    Attributes:
        rows: (n, 512) float32 unit rows.
        artists: (n,) artist of each: `cluster * 10 + i`, with i drawn at random.
        queries: (m, 512) unit rows: noisy copies of items, then as many fresh draws.
    """

    rows: Vectors
    artists: Keys
    queries: Vectors


def embeddings(n: int, queries: int, *, seed: int) -> Embeddings:
    """Draw `n` items from 2,000 clusters whose sizes follow Zipf's law."""
    random = np.random.default_rng(seed)
    centres = _unit(random.standard_normal((CLUSTERS, CENTRE_DIM)) @ random.standard_normal((CENTRE_DIM, DIM)))
    families = [_directions(random) for _ in range(FAMILIES)]
    sizes = 1 / np.arange(1, CLUSTERS + 1)
    clusters = random.choice(CLUSTERS, n + queries, p=sizes / sizes.sum())
    rows = np.empty((n + queries, DIM), np.float32)
    for family, directions in enumerate(families):
        members = np.flatnonzero(clusters % FAMILIES == family)
        for part in np.array_split(members, 1 + len(members) // 20_000):
            local = random.standard_normal((len(part), len(directions)), np.float32) @ directions
            rows[part] = _unit(centres[clusters[part]] + local)
    fresh, items = rows[n:], rows[:n]
    copies = items[random.choice(n, queries - queries // 2, replace=False)]
    noise = random.standard_normal(copies.shape, np.float32) * (NOISE / np.sqrt(DIM))
    artists = clusters[:n] * ARTISTS_PER_CLUSTER + random.integers(0, ARTISTS_PER_CLUSTER, n)
    asked = np.concatenate([_unit(copies + noise), fresh[: queries // 2]])
    return Embeddings(items, artists.astype(np.int64), asked.astype(np.float32))


def _directions(random: np.random.Generator) -> Vectors:
    """Draw the (d, 512) directions of a family; one standard deviation along all is about as long as a centre."""
    count = random.integers(*LOCAL_DIMS, endpoint=True)
    lengths = np.arange(1, count + 1, dtype=np.float32) ** -DECAY
    lengths /= np.linalg.norm(lengths)
    return random.standard_normal((count, DIM), np.float32) * (lengths[:, None] / np.float32(np.sqrt(DIM)))


def nearest(rows: Vectors, queries: Vectors, k: int) -> Keys:
    """Return the (m, k) positions of the rows nearest to each query, by exact comparison."""
    best = np.empty((len(queries), 0), np.int64)
    scores = np.empty((len(queries), 0), np.float32)
    for start in range(0, len(rows), 50_000):
        part = queries @ rows[start : start + 50_000].T
        top = np.argpartition(-part, min(k, part.shape[1] - 1), axis=1)[:, :k]
        scores = np.concatenate([scores, np.take_along_axis(part, top, 1)], axis=1)
        best = np.concatenate([best, top + start], axis=1)
        order = np.argsort(-scores, axis=1)[:, :k]
        scores, best = np.take_along_axis(scores, order, 1), np.take_along_axis(best, order, 1)
    return best


def _unit(rows: Vectors) -> Vectors:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
