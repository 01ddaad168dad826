"""Learns what the local features need, and writes it to the file that ships with Arthur.

    python -m engines.local_features.train PICTURES [--painted 350] [--seed 1] [--into FILE]

PICTURES is a folder of paintings that may be used freely. Every picture is photographed once by ArtPhoto-sim. From
the patches that a work and its photo share come the 64 directions in which SIFT histograms differ between patches
rather than between photos of one patch (linear discriminants of RootSIFT); in them, the levels of the stored code and
a tree of 256 times 256 visual words. The same pictures, seed and versions give the same file.
"""

from __future__ import annotations

import argparse
from importlib.metadata import version
from pathlib import Path

import blake3
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from arthur.verify import sift
from engines.local_features import clusters
from engines.local_features.pairs import Lesson, lesson, works

Floats = NDArray[np.float32]

DIM = 64
BRANCHES = 256
LEVELS = 16
UNIT = 160
"""The integer that stands for 1.0: values beyond 127 / 160 are so rare that clipping them costs nothing."""
RIDGE = 0.1
"""Added to the scatter within patches, as a share of its mean: keeps directions that hardly vary from exploding."""
LEAF_STEPS = (-3, -1, 1, 3)
"""A leaf is its branch plus one of these times the step, in each direction: two bits, as good as floats."""


def rooted(patches: NDArray[np.uint8]) -> Floats:
    """Return RootSIFT: the square roots of the histograms' shares."""
    shares = patches.astype(np.float32)
    return np.sqrt(shares / np.maximum(shares.sum(axis=1, keepdims=True), 1))


def directions(common: Floats, shown: Floats, seen: Floats) -> tuple[Floats, Floats]:
    """Return the mean (128,) and the projection (128, DIM) in which photos of one patch differ least."""
    mean = common.mean(axis=0)
    total = np.cov((common - mean).T)
    change = shown - seen
    within = change.T @ change / (2 * len(change))
    values, vectors = np.linalg.eigh(within + RIDGE * np.trace(within) / len(within) * np.eye(len(within)))
    whitened = vectors / np.sqrt(values)
    _, axes = np.linalg.eigh(whitened.T @ total @ whitened)
    return mean, np.ascontiguousarray(whitened @ axes[:, ::-1][:, :DIM], np.float32)


def projected(patches: NDArray[np.uint8], mean: Floats, projection: Floats) -> Floats:
    """Return unit rows times UNIT, rounded as the verifier does it."""
    rows = (rooted(patches) - mean) @ projection
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return np.clip(np.rint(rows * UNIT), -127, 127).astype(np.float32)


def levels(rows: Floats) -> NDArray[np.int8]:
    """Return the (DIM, LEVELS) values, rising, that stand for a direction's values with the least error."""
    table = np.empty((rows.shape[1], LEVELS), np.int8)
    for column in range(rows.shape[1]):
        values = rows[:, column]
        found = np.quantile(values, (np.arange(LEVELS) + 0.5) / LEVELS)
        for _ in range(30):
            nearest = np.searchsorted((found[1:] + found[:-1]) / 2, values)
            counts = np.bincount(nearest, minlength=LEVELS)
            found = np.where(counts > 0, np.bincount(nearest, values, LEVELS) / np.maximum(counts, 1), found)
        table[column] = np.rint(found)
    return table


def words(rows: Floats, random: np.random.Generator) -> dict[str, NDArray[np.generic]]:
    """Return the tree of visual words as it is stored: branches, two bits a direction for each leaf, and the step."""
    trunk, leaves = clusters.tree(rows, BRANCHES, random=random)
    branches = np.clip(np.rint(trunk), -127, 127)
    rest = leaves - branches[:, None]
    step = max(1, round(float(rest.std()) / 2))
    bits = np.clip(np.floor(rest / (2 * step)) + 2, 0, len(LEAF_STEPS) - 1).astype(np.uint8)
    quarters = bits.reshape(BRANCHES * BRANCHES, DIM // 4, 4)
    packed = (quarters << np.array([0, 2, 4, 6], np.uint8)).sum(axis=2).astype(np.uint8)
    return {"branches": branches.astype(np.int8), "leaves": packed, "step": np.array([step], np.int8)}


def learn(lessons: list[Lesson], *, seed: int) -> dict[str, NDArray[np.generic]]:
    """Return the tensors of the file."""
    random = np.random.default_rng(seed)
    common = np.concatenate([one.common for one in lessons])
    shown, seen = (np.concatenate([getattr(one, name) for one in lessons]) for name in ("shown", "seen"))
    mean, projection = directions(rooted(common[::4]), rooted(shown), rooted(seen))
    enrolled = projected(np.concatenate([one.enrolled for one in lessons]), mean, projection)
    rows = projected(common, mean, projection)
    flips = random.choice(np.array([-1, 1], np.int8), (2, DIM))
    code = {"mean": mean, "projection": projection, "levels": levels(enrolled), "flips": flips}
    return code | words(rows, random)


def main() -> None:
    """Learn as the command line says."""
    parser = argparse.ArgumentParser(description="Learn projection, code and visual words of the local features.")
    parser.add_argument("pictures", type=Path, help="folder of paintings (*.jpg) that may be used freely")
    parser.add_argument("--painted", type=int, default=350, help="procedural paintings beside them")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--into", type=Path, default=Path("python/arthur/verify/vocabulary.safetensors"))
    options = parser.parse_args()
    digest, lessons = blake3.blake3(), []
    for number, art in enumerate(works(options.pictures, options.painted, seed=options.seed)):
        digest.update(art.tobytes())
        lessons.append(lesson(art, number))
    shared = sum(len(one.shown) for one in lessons)
    facts = {
        "version": "1",
        "detector": sift.VERSION,
        "seed": str(options.seed),
        "works": str(len(lessons)),
        "pairs": str(shared),
        "pictures_blake3": digest.hexdigest(),
        "numpy": version("numpy"),
        "opencv": version("opencv-python-headless"),
        "licence": "Apache-2.0; learned from procedural paintings and paintings in the public domain",
    }
    tensors = learn(lessons, seed=options.seed)
    save_file({name: np.ascontiguousarray(tensor) for name, tensor in sorted(tensors.items())}, options.into, facts)
    print(facts)


if __name__ == "__main__":
    main()
