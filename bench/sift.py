"""CPU time of keypoints and histograms: Arthur's beside OpenCV's, on the same pictures, taken in turns.

    python -m bench.sift PICTURES [--count 60] [--rounds 3]

PICTURES is a folder of JPEG files, drawn from at random. One row a picture, size and detector goes to
`results/sift.parquet`: the least time of all rounds, and what of OpenCV's keypoints Arthur's finds again.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import polars as pl
from numpy.typing import NDArray

from arthur.verify import Gray
from arthur.verify.sift import Keypoints, detect
from bench import record

SIDES = {160: 200, 320: 300, 480: 1000, 640: 500}
"""Longest side of a picture, and how many keypoints the verifier asks for of one: 480 is how works are enrolled."""
SEED = 1


@dataclass(frozen=True, slots=True)
class Row:
    """What one picture took.

    Attributes:
        found: keypoints.
        cpu_ms: CPU time of the thread, the least of all rounds.
        again: share of OpenCV's keypoints within a pixel, 20 % of scale and 15 degrees of one of these.
        cosine: mean likeness of the histograms of such pairs.
    """

    side: int
    detector: str
    found: int
    cpu_ms: float
    again: float
    cosine: float


def detected_by_opencv(gray: Gray, count: int) -> Keypoints:
    """Return the keypoints that OpenCV finds with the same settings."""
    detector = cv2.SIFT.create(count, 3, 0.01, 12, 1.6, cv2.CV_8U, True)
    found, described = detector.detectAndCompute(gray, None)
    rows = np.array([(*one.pt, one.size, one.angle) for one in found], np.float32).reshape(-1, 4)
    patches = np.asarray(described, np.uint8) if found else np.empty((0, 128), np.uint8)
    height, width = gray.shape
    return Keypoints(width, height, rows[:, :2], rows[:, 2], np.deg2rad(rows[:, 3]), patches)


DETECTORS: dict[str, Callable[[Gray, int], Keypoints]] = {"opencv": detected_by_opencv, "arthur": detect}


def likeness(theirs: Keypoints, ours: Keypoints) -> NDArray[np.float64]:
    """Return for each of theirs the cosine of its histogram and that of ours in its place; -1 where there is none."""
    away = np.linalg.norm(theirs.points[:, None] - ours.points[None], axis=2)
    growth = np.abs(np.log(theirs.scales[:, None] / ours.scales[None]))
    turn = theirs.angles[:, None] - ours.angles[None]
    there = (away < 1) & (growth < np.log(1.2)) & (np.cos(turn) > np.cos(np.deg2rad(15)))
    rows = [patches / np.linalg.norm(patches, axis=1, keepdims=True) for patches in (theirs.patches, ours.patches)]
    likest: NDArray[np.float64] = np.where(there, rows[0] @ rows[1].T, -1).max(axis=1, initial=-1)
    return likest


def measure(gray: Gray, side: int, rounds: int) -> Iterator[Row]:
    """Yield a row for each detector; in each round both see the picture."""
    times: dict[str, list[float]] = {name: [] for name in DETECTORS}
    found: dict[str, Keypoints] = {}
    for _ in range(rounds):
        for name, detector in DETECTORS.items():
            started = time.thread_time()
            found[name] = detector(gray, SIDES[side])
            times[name].append((time.thread_time() - started) * 1e3)
    for name, keypoints in found.items():
        cosines = likeness(found["opencv"], keypoints)
        again = cosines[cosines > -1]
        shares = (len(again) / max(1, len(cosines)), float(again.mean()) if len(again) else 0.0)
        yield Row(side, name, len(keypoints), min(times[name]), *shares)


def pictures(folder: Path, count: int) -> Iterator[Gray]:
    """Yield gray pictures of a folder and those below it, in random order."""
    paths = sorted(folder.rglob("*.jpg"))
    for number in np.random.default_rng(SEED).permutation(len(paths))[:count]:
        yield np.asarray(cv2.imread(str(paths[number]), cv2.IMREAD_GRAYSCALE), np.uint8)


def resized(gray: Gray, side: int) -> Gray:
    """Return a picture with a longest side of `side`."""
    factor = side / max(gray.shape)
    return np.asarray(cv2.resize(gray, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)


def summary(rows: pl.DataFrame) -> Iterator[str]:
    """Yield one line a size."""
    for (side,), part in sorted(rows.group_by("side"), key=lambda group: str(group[0])):
        theirs, ours = (part.filter(detector=name) for name in DETECTORS)
        cpu = [frame["cpu_ms"] for frame in (theirs, ours)]
        yield (
            f"{side} px: OpenCV {cpu[0].median():.1f} CPU ms, Arthur {cpu[1].median():.1f} "
            f"({cpu[0].sum() / cpu[1].sum():.2f} times as fast); "
            f"{ours['again'].mean():.3f} of OpenCV's keypoints again, cosine {ours['cosine'].mean():.4f}"
        )


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description="Measure keypoints beside those of OpenCV.")
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--count", type=int, default=60, help="pictures")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    columns = record.context(SEED, packages=("opencv-python-headless", "numpy"))
    rows = [
        asdict(row)
        for gray in pictures(options.pictures, options.count)
        for side in SIDES
        for row in measure(resized(gray, side), side, options.rounds)
    ]
    for line in summary(pl.read_parquet(record.write("sift", rows, columns))):
        print(line)


if __name__ == "__main__":
    main()
