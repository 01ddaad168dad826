"""Measure an exported graph on real pictures, by one query of the whole picture.

``python -m engines.arthur_mini.evaluate --data DIR``; DIR holds ``photos.csv`` (photo, catalog,
entries), catalogues as ``NAME/catalog/*.jpg``, and folders of plain pictures that only distract.
Prints R@1: the share of queries whose own work comes first among everything enrolled.
"""

import argparse
import csv
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from arthur.simulation.lens import compress
from engines.arthur_mini.pool import read_picture
from engines.arthur_mini.runtime import Graph

_MILD_WORKS = 200
"""Works of the first catalogue that are enrolled for the mild distortions."""


def distort(picture: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Return a mildly changed copy: 5 % cut off, resized, blurred, tinted, JPEG quality 60."""
    height, width = picture.shape[:2]
    top, left = (random.uniform(0, 0.05, 2) * (height, width)).astype(int)
    bottom, right = int(top + 0.95 * height), int(left + 0.95 * width)
    scale = random.uniform(0.5, 0.9)
    copy = cv2.resize(picture[top:bottom, left:right], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    copy = cv2.GaussianBlur(copy, (0, 0), random.uniform(0.3, 1.2))
    tinted = copy * random.uniform(0.93, 1.07, 3) + random.uniform(-8, 8)
    return compress(np.clip(tinted, 0, 255).astype(np.uint8), 60)


def mild(graph: Graph, files: list[Path]) -> float:
    """Return R@1 of mildly distorted copies among the works in ``files``."""
    works = [read_picture(path) for path in files]
    random = np.random.default_rng(0)
    copies = graph.encode_pictures([distort(picture, random) for picture in works])
    first = (copies @ graph.encode_pictures(works).T).argmax(1)
    return float((first == np.arange(len(works))).mean())


def photos(graph: Graph, data: Path, *, k: int = 10) -> dict[str, tuple[int, float, float]]:
    """Return, by catalogue, how many photos have a work in it, their R@1 and their R@k."""
    enrolled = sorted(data.glob("*/catalog/*.jpg")) + sorted(data.glob("*/*.jpg"))
    names = [(path.relative_to(data).parts[0], path.stem) for path in enrolled]
    references = _encode(graph, enrolled)
    with (data / "photos.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["entries"] != "none"]
    queries = _encode(graph, [data / row["photo"] for row in rows])
    nearest = np.argsort(-(queries @ references.T), axis=1)[:, :k]
    hits = defaultdict(list)
    for row, ranking in zip(rows, nearest, strict=True):
        truth = {(row["catalog"], entry) for entry in row["entries"].split(";")}
        hits[row["catalog"]].append([names[place] in truth for place in ranking])
    return {
        catalogue: (len(found), np.array(found)[:, 0].mean(), np.array(found).any(1).mean())
        for catalogue, found in hits.items()
    }


def _encode(graph: Graph, files: list[Path]) -> NDArray[np.float32]:
    # In parts, for whole photos take much more memory than their squares.
    parts = [files[start : start + 32] for start in range(0, len(files), 32)]
    return np.concatenate([graph.encode_pictures(map(read_picture, part)) for part in parts])


def main() -> None:
    """Evaluate as the command line says."""
    parser = argparse.ArgumentParser(description="Measure arthur-mini on real pictures.")
    parser.add_argument("--data", type=Path, required=True, help="folder of evaluation pictures")
    parser.add_argument("--graph", type=Path, default=Path(__file__).with_name("arthur-mini.onnx"))
    parser.add_argument("--mild", default="museum", help="catalogue to distort mildly")
    options = parser.parse_args()
    graph = Graph(options.graph)
    files = sorted((options.data / options.mild / "catalog").glob("*.jpg"))[:_MILD_WORKS]
    print(f"mild distortions, {len(files)} works: R@1 {mild(graph, files):.3f}")
    for catalogue, (count, first, top) in photos(graph, options.data).items():
        print(f"{catalogue}, {count} photos: R@1 {first:.3f}, R@10 {top:.3f}")


if __name__ == "__main__":
    main()
