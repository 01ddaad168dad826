"""Golden vectors: fixed pictures with the vectors they must give; they find a wrong engine before it answers."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arthur.encode.spec import EngineFile
from arthur.errors import UnusableEngine
from arthur.types import Pixels, Vectors


@dataclass(frozen=True, slots=True)
class Golden:
    """Fixed pictures and their vectors.

    Attributes:
        pixels: (n, side, side, 3) uint8.
        vectors: (n, dim) float32 unit rows.
    """

    pixels: Pixels
    vectors: Vectors


@dataclass(frozen=True, slots=True)
class GoldenTexts:
    """Fixed sentences and their vectors.

    Attributes:
        texts: at least one.
        vectors: (n, dim) float32 unit rows.
    """

    texts: tuple[str, ...]
    vectors: Vectors


def load_golden(path: Path, *, facts: EngineFile) -> Golden:
    """Read golden vectors.

    Raises:
        UnusableEngine: the file cannot be read or does not fit `facts`.
    """
    pixels, vectors = _arrays(path, ("pixels", "vectors"), facts)
    count = len(pixels) if pixels.ndim else 0
    fits = pixels.shape == (count, facts.side, facts.side, 3) and vectors.shape == (count, facts.dim)
    if not count or not fits or pixels.dtype != np.uint8 or vectors.dtype != np.float32:
        raise UnusableEngine(
            f"engine {facts.name}: {path} holds pixels {pixels.dtype} {pixels.shape} and vectors {vectors.dtype} "
            f"{vectors.shape}, which do not fit side {facts.side} and dim {facts.dim}"
        )
    return Golden(np.ascontiguousarray(pixels), np.ascontiguousarray(vectors))


def save_golden(path: Path, golden: Golden) -> None:
    """Write golden vectors as a compressed npz."""
    np.savez_compressed(path, pixels=golden.pixels, vectors=golden.vectors)


def load_golden_texts(path: Path, *, facts: EngineFile) -> GoldenTexts:
    """Read golden sentences.

    Raises:
        UnusableEngine: the file cannot be read or does not fit `facts`.
    """
    texts, vectors = _arrays(path, ("texts", "vectors"), facts)
    if not texts.size or texts.dtype.kind != "U" or vectors.shape != (*texts.shape, facts.dim):
        raise UnusableEngine(
            f"engine {facts.name}: {path} holds texts {texts.dtype} {texts.shape} and vectors {vectors.shape}, "
            f"which do not fit dim {facts.dim}"
        )
    return GoldenTexts(tuple(map(str, texts)), vectors)


def save_golden_texts(path: Path, golden: GoldenTexts) -> None:
    """Write golden sentences as a compressed npz."""
    np.savez_compressed(path, texts=np.array(golden.texts), vectors=golden.vectors)


def _arrays(path: Path, names: tuple[str, str], facts: EngineFile) -> tuple[NDArray[Any], NDArray[Any]]:
    """Read two arrays of an npz."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return archive[names[0]], archive[names[1]]
    except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise UnusableEngine(f"engine {facts.name}: {path} holds no golden vectors: {error}") from error


def picture(side: int) -> Pixels:
    """Draw the fixed picture: (1, side, side, 3) of smooth colour ramps with a disc, equal on every machine."""
    ramp = np.arange(side, dtype=np.int64) * 255 // max(side - 1, 1)
    rows, columns = ramp[:, None], ramp[None, :]
    disc = (rows - 128) ** 2 + (columns - 128) ** 2 < 80**2
    red = np.broadcast_to(columns, (side, side))
    green = np.where(disc, 255 - rows, rows)
    blue = (rows + columns) // 2
    return np.stack([red, green, blue], axis=-1)[None].astype(np.uint8)


def distances(vectors: Vectors, expected: Vectors) -> NDArray[np.float64]:
    """Return 1 - cosine for each pair of rows: (n,); 2.0 where a row is not finite or shapes differ."""
    if vectors.shape != expected.shape or not np.isfinite(vectors).all():
        return np.full(len(expected), 2.0)
    ours, theirs = vectors.astype(np.float64), expected.astype(np.float64)
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    cosines: NDArray[np.float64] = (ours * theirs).sum(axis=1) / np.maximum(lengths, np.finfo(np.float64).tiny)
    return 1.0 - cosines


def golden_distance(encode: Callable[[Pixels], Vectors], golden: Golden) -> float:
    """Return the largest 1 - cosine to the golden vectors, over all rows at once and over each row alone.

    Both are needed: a quantised graph scales a batch as a whole, so a row may depend on its neighbours.
    """
    together = distances(encode(golden.pixels), golden.vectors).max()
    alone = max(
        distances(encode(golden.pixels[row : row + 1]), golden.vectors[row : row + 1]).max()
        for row in range(len(golden.pixels))
    )
    return float(max(together, alone))
