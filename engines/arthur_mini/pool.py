"""The training pool: works squashed to squares, in groups by one artist.

Draw it once: ``python -m engines.arthur_mini.pool OUT --works 12000 --pictures DIR``. The folder
then holds ``works.npy`` (uint8, (n, side, side, 3)), ``aspects.npy`` (float32, (n,)) and
``pool.json``, which records what is in them and their SHA-256.
"""

import argparse
import hashlib
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.artphoto.paintings import WORKS_PER_ARTIST, painting, work

SEED = 1
"""Usual seed of a training catalogue; evaluation draws its works from other seeds."""

_DRAWN = 256
"""Long side at which works are painted before they are squashed."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a pool holds.

    Attributes:
        works: Procedural works; they come first.
        pictures: Pictures read from files; they follow.
        side: Side of the squares in pixels.
        seed: Seed of the procedural works.
        sha256: Hash of the pixels and the aspects, hexadecimal.
    """

    works: int
    pictures: int
    side: int
    seed: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool opened for reading; see the module for the arrays."""

    contents: Contents
    works: NDArray[np.uint8]
    aspects: NDArray[np.float32]

    @classmethod
    def open(cls, folder: Path) -> "Pool":
        """Map the pool in ``folder``; raises ``OSError`` where it is not there."""
        contents = Contents(**json.loads((folder / "pool.json").read_text()))
        works = np.load(folder / "works.npy", mmap_mode="r")
        return cls(contents, works, np.load(folder / "aspects.npy"))

    def sample(self, random: np.random.Generator, count: int, *, picture_share: float) -> NDArray[np.int64]:
        """Choose ``count`` different works, half of them four at a time by one artist.

        Args:
            random: Where the choice comes from.
            count: A multiple of 8.
            picture_share: Share of the choice taken from the picture files, where there are any.

        Returns:
            Sorted positions, int64 (count,).
        """
        artists = self.contents.works // WORKS_PER_ARTIST
        if self.contents.pictures == 0:
            return np.sort(_choose(random, 0, artists, count))
        foreign = min(round(count * picture_share / 8) * 8, self.contents.pictures)
        last = artists + self.contents.pictures // WORKS_PER_ARTIST
        procedural = _choose(random, 0, artists, count - foreign)
        return np.sort(np.concatenate([procedural, _choose(random, artists, last, foreign)]))


def draw(folder: Path, *, works: int, side: int, pictures: Path | None, seed: int, processes: int) -> Contents:
    """Draw a pool into ``folder`` and return what it holds.

    ``works`` is rounded down to whole artists, and so is the number of files in ``pictures``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    works -= works % WORKS_PER_ARTIST
    files = sorted(pictures.iterdir()) if pictures else []
    files = files[: len(files) - len(files) % WORKS_PER_ARTIST]
    shape = (works + len(files), side, side, 3)
    squares = np.lib.format.open_memmap(folder / "works.npy", "w+", np.uint8, shape)
    aspects = np.empty(len(squares), np.float32)
    with ProcessPoolExecutor(processes) as executor:
        painted = executor.map(partial(_painted, side=side, seed=seed), range(works), chunksize=32)
        read = executor.map(partial(_read, side=side), files, chunksize=32)
        for position, (square, aspect) in enumerate(chain(painted, read)):
            squares[position], aspects[position] = square, aspect
    squares.flush()
    np.save(folder / "aspects.npy", aspects)
    digest = hashlib.sha256(squares.data)
    digest.update(aspects.data)
    contents = Contents(works, len(files), side, seed, digest.hexdigest())
    (folder / "pool.json").write_text(json.dumps(asdict(contents), indent=1) + "\n")
    return contents


def squash(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return the picture (height, width, 3) resized to a square, its aspect ratio ignored."""
    shrinks = max(picture.shape[:2]) > side
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(picture, (side, side), interpolation=method).astype(np.uint8, copy=False)


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Read a picture file as uint8 RGB (height, width, 3), turned upright.

    Raises:
        ValueError: The file is not a picture.
    """
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError(f"{path} is not a picture")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)


def _choose(random: np.random.Generator, first: int, last: int, count: int) -> NDArray[np.int64]:
    """Choose works of the artists ``first`` to ``last``: half in fours, half anywhere."""
    artists = random.choice(last - first, count // 8, replace=False) + first
    fours = [random.choice(WORKS_PER_ARTIST, 4, replace=False) for _ in artists]
    together = (artists[:, None] * WORKS_PER_ARTIST + np.array(fours).reshape(-1, 4)).ravel()
    everyone = np.arange(first * WORKS_PER_ARTIST, last * WORKS_PER_ARTIST)
    others = np.setdiff1d(everyone, together)
    return np.concatenate([together, random.choice(others, count - len(together), replace=False)])


def _painted(number: int, *, side: int, seed: int) -> tuple[NDArray[np.uint8], float]:
    # One thread a process: OpenCV's own threads would compete with the other processes.
    cv2.setNumThreads(1)
    picture = painting(*work(number, seed=seed), size=max(_DRAWN, side))
    return squash(picture, side), picture.shape[1] / picture.shape[0]


def _read(path: Path, *, side: int) -> tuple[NDArray[np.uint8], float]:
    picture = read_picture(path)
    return squash(picture, side), picture.shape[1] / picture.shape[0]


def main() -> None:
    """Draw a pool as the command line says."""
    parser = argparse.ArgumentParser(description="Draw a training pool.")
    parser.add_argument("folder", type=Path, help="where the pool goes")
    parser.add_argument("--works", type=int, default=12_000, help="procedural works")
    parser.add_argument("--side", type=int, default=192, help="side of the squares in pixels")
    parser.add_argument("--pictures", type=Path, help="folder of more pictures to train on")
    parser.add_argument("--seed", type=int, default=SEED, help="seed of the procedural works")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    draw(
        options.folder,
        works=options.works,
        side=options.side,
        pictures=options.pictures,
        processes=options.processes,
        seed=options.seed,
    )


if __name__ == "__main__":
    main()
