"""The three exams: the simulator, museum visitors' photos, and hand-held photos of printed covers."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bench.accuracy.drawings import Drawings
from bench.accuracy.exam import KNOWN, LEFT_OUT, Exam, Photo, Work
from bench.artphoto import benchmark
from bench.artphoto.benchmark import PRESETS, Question

SETS = ("sim", "museum", "covers")

NONE = "none"
"""Kind of a real photo that shows no work of the catalogue."""

Item = TypeVar("Item")

_SIMULATED, _DISTRACTING = "sim", "vangogh"
_CATALOGUES = ("museum", "covers")


@dataclass(frozen=True, slots=True)
class Sample:
    """How much of the real pictures a preset uses; None is all.

    Attributes:
        photos: photos asked, spread evenly over the set; each that shows a work is asked once more without it.
        others: enrolled works of the other folders.
    """

    photos: int | None
    others: int | None


TWINS = (frozenset({"museum/00043", "museum/00249"}), frozenset({"museum/00179", "museum/00219"}))
"""Catalogue pictures of one and the same work, found by comparing all with all and looking: either is right."""

SAMPLES: dict[str, Sample] = {"tiny": Sample(6, 10), "quick": Sample(24, 150)}
"""Presets that use less than all real pictures."""


def simulated(preset: str, drawings: Drawings, *, size: int) -> Exam:
    """Return the exam of ArtPhoto-sim; `size` is the largest catalogue wanted, distractors included."""
    asked = benchmark.questions(PRESETS[preset])
    photos = tuple(_photo(question, path) for question, path in zip(asked, drawings.files(asked), strict=True))
    own = PRESETS[preset].works
    provenance = f"ArtPhoto-sim {benchmark.VERSION}, preset {preset}"
    return Exam(_SIMULATED, drawn(drawings, 0, own), photos, drawn(drawings, own, size), provenance)


def real(name: str, data: Path, preset: str, drawings: Drawings, *, size: int) -> Exam:
    """Return the exam of a folder of evaluation pictures: its catalogue among the other folders' works.

    Drawn works follow as distractors up to a catalogue of `size`.

    Raises:
        SystemExit: the pictures are not there.
    """
    if not (data / "photos.csv").is_file():
        raise SystemExit(f"{data} holds no photos.csv: name the folder of the evaluation pictures with --data")
    sample = SAMPLES.get(preset, Sample(None, None))
    own = _catalogue(data / name / "catalog", name)
    folders = {other: data / other / "catalog" for other in _CATALOGUES if other != name}
    folders[_DISTRACTING] = data / _DISTRACTING
    others = [work for artist, folder in folders.items() for work in _catalogue(folder, artist)]
    works = (*own, *_spread(others, sample.others))
    photos = tuple(_asked(name, data, sample.photos))
    missing = max(0, size - len(works))
    return Exam(name, works, photos, drawn(drawings, 0, missing), f"evaluation pictures, preset {preset}")


def drawn(drawings: Drawings, first: int, end: int) -> tuple[Work, ...]:
    """Return the simulator's works from `first` up to, not including, `end`."""
    numbers = range(first, end)
    paths = drawings.files(numbers)
    return tuple(
        Work(f"{_SIMULATED}-{benchmark.artist(number)}", str(number), path)
        for number, path in zip(numbers, paths, strict=True)
    )


def _photo(question: Question, path: Path) -> Photo:
    shown = f"{_SIMULATED}-{benchmark.artist(question.work)}/{question.work}"
    works = frozenset([shown] if question.kind == KNOWN else [])
    return Photo(question.name, path, question.kind, str(question.severity), works)


def _catalogue(folder: Path, artist: str) -> list[Work]:
    return [Work(artist, path.stem, path) for path in sorted(folder.glob("*.jpg"))]


def _asked(name: str, data: Path, limit: int | None) -> Iterator[Photo]:
    """Yield a set's photos: as they are, and those of enrolled works once more with these taken out."""
    with (data / "photos.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["catalog"] == name]
    for row in _spread(rows, limit):
        path = data / row["photo"]
        source = path.stem.rpartition("_")[0]
        if row["entries"] == NONE:
            yield Photo(path.stem, path, NONE, source)
            continue
        works = _with_twins(frozenset(f"{name}/{entry}" for entry in row["entries"].split(";")))
        yield Photo(path.stem, path, KNOWN, source, works)
        yield Photo(f"{path.stem} {LEFT_OUT}", path, LEFT_OUT, source, without=works)


def _with_twins(works: frozenset[str]) -> frozenset[str]:
    return works.union(*(twins for twins in TWINS if twins & works))


def _spread(items: list[Item], limit: int | None) -> list[Item]:
    """Return at most `limit` items, evenly spread."""
    if limit is None or limit >= len(items):
        return items
    return [items[place * len(items) // limit] for place in range(limit)]
