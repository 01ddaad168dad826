"""Synthetic embeddings with the shape of real ones: clusters of very different sizes, few directions in each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arthur.types import Keys, Vectors

DIM = 512
CLUSTERS = 2000
LOCAL_DIM = 44
BASES = 64
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
    centres = _unit(random.standard_normal((CLUSTERS, DIM), np.float32))
    bases = random.standard_normal((BASES, LOCAL_DIM, DIM), np.float32) / np.sqrt(DIM * LOCAL_DIM)
    sizes = 1 / np.arange(1, CLUSTERS + 1)
    clusters = random.choice(CLUSTERS, n + queries, p=sizes / sizes.sum())
    rows = np.empty((n + queries, DIM), np.float32)
    for base in range(BASES):
        members = np.flatnonzero(clusters % BASES == base)
        for part in np.array_split(members, 1 + len(members) // 20_000):
            local = random.standard_normal((len(part), LOCAL_DIM), np.float32) @ bases[base]
            rows[part] = _unit(centres[clusters[part]] + 0.8 * local)
    fresh, items = rows[n:], rows[:n]
    copies = items[random.choice(n, queries - queries // 2, replace=False)]
    noise = random.standard_normal(copies.shape, np.float32) * (0.3 / np.sqrt(DIM))
    artists = clusters[:n] * ARTISTS_PER_CLUSTER + random.integers(0, ARTISTS_PER_CLUSTER, n)
    return Embeddings(items, artists.astype(np.int64), np.concatenate([_unit(copies + noise), fresh[: queries // 2]]))


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
