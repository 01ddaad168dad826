"""Works and photos of ArtPhoto-sim as files: drawn once, found again by the next run."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import cv2

from bench.artphoto import benchmark
from bench.artphoto.benchmark import Question

Subject: TypeAlias = int | Question
"""What to draw: the number of a catalogue work, or the question whose photo is wanted."""

_CHUNK = 16
"""Pictures that a process draws before it is given more."""


@dataclass(frozen=True, slots=True)
class Drawings:
    """A folder of drawn pictures; each version of the simulator has its own.

    Attributes:
        folder: where they are kept; may be emptied between runs.
        processes: how many draw at once.
    """

    folder: Path
    processes: int = 1

    def files(self, subjects: Sequence[Subject]) -> list[Path]:
        """Return the file of each subject; those that are not there are drawn."""
        paths = [self._path(subject) for subject in subjects]
        missing = [(path, subject) for path, subject in zip(paths, subjects, strict=True) if not path.exists()]
        for folder in {path.parent for path, _ in missing}:
            folder.mkdir(parents=True, exist_ok=True)
        if self.processes == 1 or len(missing) <= _CHUNK:
            for path, subject in missing:
                _draw(path, subject)
        else:
            with ProcessPoolExecutor(self.processes, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
                list(pool.map(_draw, *zip(*missing, strict=True), chunksize=_CHUNK))
        return paths

    def _path(self, subject: Subject) -> Path:
        home = self.folder / f"artphoto-{benchmark.VERSION}"
        if isinstance(subject, Question):
            return home / "photos" / f"{subject.name}.jpg"
        return home / "works" / f"{subject // 1000:04}" / f"{subject:07}.jpg"


def _draw(path: Path, subject: Subject) -> None:
    """Draw a picture into its file, which another process sees whole or not at all."""
    file = benchmark.photo(subject) if isinstance(subject, Question) else benchmark.catalogue_picture(subject)
    partial = path.with_suffix(".partial")
    partial.write_bytes(file)
    partial.replace(path)
