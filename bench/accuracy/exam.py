"""What is enrolled and what is asked: pictures on disk, and the truth about each photo."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from random import Random

LEFT_OUT = "left-out"
"""Kind of a photo whose works are taken out of the catalogue while it is asked."""
KNOWN = "known"
"""Kind of a photo of an enrolled work; every other kind is open-set."""


@dataclass(frozen=True, slots=True)
class Work:
    """A work to be enrolled, by one picture file."""

    artist: str
    entry: str
    path: Path

    @property
    def name(self) -> str:
        """`artist/entry`, by which answers name it."""
        return f"{self.artist}/{self.entry}"


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo to be asked.

    Attributes:
        name: tells it apart from the others of its exam.
        kind: KNOWN, or the open-set kind.
        severity: how hard it is: "1" to "4" of the simulator, otherwise the set or the phone it comes from.
        works: names of the enrolled works it shows; naming any of them is right. Empty for open-set photos.
        without: names of the works taken out while it is asked.
    """

    name: str
    path: Path
    kind: str
    severity: str
    works: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()

    @property
    def cluster(self) -> str:
        """Photos of one cluster show the same, so they are no independent observations."""
        shown = self.works or self.without
        return "+".join(sorted(shown)) if shown else self.name


@dataclass(frozen=True, slots=True)
class Exam:
    """A catalogue and the photos to ask it.

    Attributes:
        works: enrolled in this order; photos show only these.
        distractors: enrolled after them, as many as a run wants.
        provenance: what the figures depend on besides the code: version of the benchmark, sizes, seed.
    """

    name: str
    works: tuple[Work, ...]
    photos: tuple[Photo, ...]
    distractors: tuple[Work, ...] = ()
    provenance: str = ""


def in_turn(photos: tuple[Photo, ...], *, seed: int) -> Iterator[tuple[frozenset[str], list[Photo]]]:
    """Yield the photos in an order that is fair to a system which stops early: any beginning is a random sample.

    Photos that want the same works taken out come together, so that each is taken out once.
    """
    ordered = sorted(photos, key=lambda photo: (sorted(photo.without), photo.name))
    groups = [list(group) for _, group in groupby(ordered, key=lambda photo: photo.without or photo.name)]
    Random(seed).shuffle(groups)
    for group in groups:
        yield group[0].without, group
