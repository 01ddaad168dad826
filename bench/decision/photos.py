"""What the decision is fitted on: a painted and printed catalogue, and photos of known outcome, drawn once as files."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias

import cv2

from arthur.calibration.trials import SEVERITIES, encoded
from arthur.simulation.fields import Picture, generator
from arthur.simulation.photo import photograph, snap
from bench.artphoto.covers import cover
from bench.artphoto.paintings import painting, work
from bench.artphoto.scenes import scene

Kind: TypeAlias = Literal["known", "artist", "unknown", "series", "cover", "beside", "nothing"]
"""What a photo shows: an enrolled work; another work of an enrolled artist; a work of an unknown artist; another work
of an enrolled series of paintings; another cover of an enrolled series of covers; an unknown work with enrolled ones
around it; no artwork at all."""

KINDS: tuple[Kind, ...] = ("known", "artist", "unknown", "series", "cover", "beside", "nothing")
OPEN_SET: tuple[Kind, ...] = (
    *("artist",) * 4,
    *("unknown",) * 3,
    *("series",) * 2,
    *("cover",) * 2,
    *("beside",) * 2,
    "nothing",
)
"""Kinds of photos of nothing enrolled, each as often as it is named."""
COVERS, COVERS_A_SERIES = 5, 10
"""Each so many-th work of the catalogue is a cover, and so many covers are of one series."""
_NEW, _UNKNOWN, _CLUTTER = 1_000, 500_000, 900_000
"""First composition, detail or cover that is not enrolled; first artists who are not."""
_AROUND, _AROUND_SIZE = 2, 256
_CHUNK = 16


@dataclass(frozen=True, slots=True)
class Shot:
    """One photo to be taken.

    Attributes:
        number: makes it different from the others of its kind.
        work: the enrolled work that it shows, or that its subject is related to.
        works: how many are enrolled.
        seed: of the catalogue.
    """

    kind: Kind
    number: int
    work: int
    works: int
    seed: int

    @property
    def severity(self) -> int:
        """1 to 4, in turn."""
        return SEVERITIES[self.number % len(SEVERITIES)]

    @property
    def name(self) -> str:
        """Tells it apart from every other one."""
        return f"{self.seed}-{self.works}-{self.kind}-{self.number}-{self.work}"


def shots(works: int, photos: int, open_set: int, *, seed: int) -> list[Shot]:
    """Return the photos of a run: of enrolled works first, each photographed twice only after all were once."""
    chance = generator(71, seed)
    rounds = -(-photos // works)
    order = [int(number) for _ in range(rounds) for number in chance.permutation(works)][:photos]
    known = [Shot("known", place, number, works, seed) for place, number in enumerate(order)]
    return known + [_unknown(place, works, seed) for place in range(open_set)]


def _unknown(place: int, works: int, seed: int) -> Shot:
    turn, slot = divmod(place, len(OPEN_SET))
    kind = OPEN_SET[slot]
    number = turn * OPEN_SET.count(kind) + OPEN_SET[:slot].count(kind)
    related = int(generator(72, seed, place).integers(works))
    if kind in ("artist", "series", "cover"):
        related = _next(related, printed=kind == "cover", works=works)
    return Shot(kind, number, related, works, seed)


def is_cover(number: int) -> bool:
    """Return whether the `number`-th work of the catalogue is a cover, not a painting."""
    return number % COVERS == COVERS - 1


def _next(number: int, *, printed: bool, works: int) -> int:
    """Return the number of the next work, this one included, that is a cover, or that is none."""
    return next(one % works for one in range(number, number + works) if is_cover(one % works) == printed)


def enrolled(number: int, *, seed: int, size: int = 512) -> Picture:
    """Return the `number`-th work of the catalogue."""
    if is_cover(number):
        return cover(*_printed(number, seed), size=size)
    return painting(*work(number, seed=seed), size=size)


def artist(number: int, *, seed: int) -> str:
    """Return the name of the artist, or of the series of covers."""
    return f"series-{_printed(number, seed)[0]}" if is_cover(number) else str(work(number, seed=seed)[0])


def _printed(number: int, seed: int) -> tuple[int, int]:
    series, place = divmod(number // COVERS, COVERS_A_SERIES)
    return seed * 1_003 + series, place


def photo(shot: Shot) -> Picture:
    """Take a photo: uint8 RGB with a long side of 640."""
    seed = int(generator(73, shot.seed, shot.number, shot.work, KINDS.index(shot.kind)).integers(2**31))
    if shot.kind == "nothing":
        return snap(scene(seed), seed, severity=shot.severity)
    around = [_beside(shot, seed + place) for place in range(_AROUND)]
    return photograph(_subject(shot), seed, severity=shot.severity, clutter=around)[0]


def _beside(shot: Shot, seed: int) -> Picture:
    if shot.kind == "beside":
        return enrolled(seed % shot.works, seed=shot.seed)
    return painting(_CLUTTER + seed % 10_000, 0, 0, size=_AROUND_SIZE)


def _subject(shot: Shot) -> Picture:
    if shot.kind == "known":
        return enrolled(shot.work, seed=shot.seed)
    if shot.kind == "cover":
        series, _ = _printed(shot.work, shot.seed)
        return cover(series, _NEW + shot.number)
    author, composition, detail = work(shot.work, seed=shot.seed)
    if shot.kind == "artist":
        return painting(author, _NEW + shot.number, 0)
    if shot.kind == "series":
        return painting(author, composition, _NEW + shot.number)
    return painting(author + _UNKNOWN + shot.number, composition, detail)


def drawn(shots: Sequence[Shot], folder: Path, *, processes: int) -> list[Path]:
    """Return the file of each photo; those that are not there are drawn."""
    paths = [folder / f"{shot.name}.jpg" for shot in shots]
    missing = [(path, shot) for path, shot in zip(paths, shots, strict=True) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(processes, initializer=partial(cv2.setNumThreads, 1)) as pool:
        list(pool.map(_draw, *zip(*missing, strict=True), chunksize=_CHUNK) if missing else ())
    return paths


def _draw(path: Path, shot: Shot) -> None:
    """Draw a photo into its file, which another process sees whole or not at all."""
    partial_file = path.with_suffix(".partial")
    partial_file.write_bytes(encoded(photo(shot)))
    partial_file.replace(path)
