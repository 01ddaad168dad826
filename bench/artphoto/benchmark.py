"""The benchmark proper: which works are enrolled, which photos are asked, and the version of both.

Everything is a pure function of the numbers below. The seed is used by nothing else in the project: neither the
training of an engine nor the fit of a decision has seen these artists.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import cv2

from arthur.simulation.fields import Picture, generator
from arthur.simulation.photo import photograph, snap
from arthur.simulation.severity import LIMITS
from bench.artphoto.paintings import painting, work
from bench.artphoto.portable import portable
from bench.artphoto.scenes import scene

VERSION = "aab186a1ec3f"
"""What ``version`` returns; a test holds the two together."""

SEED = 2026
SIZE = 512
"""Long side of a catalogue picture, pixels."""

Kind: TypeAlias = Literal["known", "artist", "unknown", "series", "nothing"]
"""What a photo shows: an enrolled work; another work of an enrolled artist; a work of an artist who is not enrolled;
another work of an enrolled series; no artwork at all."""

OPEN_SET: tuple[Kind, ...] = (
    "artist",
    "artist",
    "artist",
    "artist",
    "unknown",
    "unknown",
    "unknown",
    "series",
    "series",
    "nothing",
)
"""Kinds of photos of nothing enrolled, each as often as it is named here."""

_UNKNOWN_ARTISTS, _CLUTTER_ARTISTS = 500_000, 700_000
"""First artists who are never enrolled: a million works take 125,000."""
_NEW = 1_000
"""First composition or detail that no enrolled work has."""
_CLUTTER_SIZE, _CLUTTER = 256, 2
_CATALOGUE_QUALITY, _PHOTO_QUALITY = 92, 90


@dataclass(frozen=True, slots=True)
class Preset:
    """How large a run is.

    Attributes:
        works: enrolled works; distractors follow them, up to a million.
        positives: photos of enrolled works at each severity.
        open_set: photos of nothing enrolled; a multiple of 40 gives each kind at each severity its exact share.
    """

    works: int
    positives: int
    open_set: int


PRESETS: dict[str, Preset] = {
    "tiny": Preset(works=40, positives=4, open_set=40),
    "quick": Preset(works=200, positives=15, open_set=40),
    "standard": Preset(works=1_000, positives=75, open_set=200),
    "large": Preset(works=5_000, positives=400, open_set=800),
    "official": Preset(works=10_000, positives=1_000, open_set=2_000),
}


@dataclass(frozen=True, slots=True)
class Question:
    """One photo to be asked.

    Attributes:
        number: makes it different from all others of its kind and severity.
        work: the enrolled work that it shows, or that its subject is related to.
    """

    kind: Kind
    severity: int
    number: int
    work: int

    @property
    def name(self) -> str:
        """A name that tells it apart from every other question of every preset."""
        return f"{self.kind}-{self.severity}-{self.number:04}-{self.work:06}"


def questions(preset: Preset) -> tuple[Question, ...]:
    """Return the photos of a preset: those of enrolled works first."""
    return (*_positives(preset), *_open_set(preset))


@portable()
def catalogue_picture(number: int) -> bytes:
    """Return the JPEG file of the ``number``-th work; those after a preset's works are its distractors."""
    return jpeg(painting(*work(number, seed=SEED), size=SIZE), _CATALOGUE_QUALITY)


def artist(number: int) -> int:
    """Return the artist of the ``number``-th work."""
    return work(number, seed=SEED)[0]


@portable()
def photo(question: Question) -> bytes:
    """Return the JPEG file of a question's photo."""
    return jpeg(picture_of(question), _PHOTO_QUALITY)


def picture_of(question: Question) -> Picture:
    """Photograph what the question is about: uint8 RGB with a long side of 640."""
    seed = int(generator(20, question.number, question.work).integers(2**31))
    if question.kind == "nothing":
        return snap(scene(seed), seed, severity=question.severity)
    clutter = [painting(_own(_CLUTTER_ARTISTS + seed % 100_000), n, 0, size=_CLUTTER_SIZE) for n in range(_CLUTTER)]
    return photograph(_subject(question), seed, severity=question.severity, clutter=clutter)[0]


def jpeg(picture: Picture, quality: int) -> bytes:
    """Return a picture as a JPEG file."""
    return bytes(cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1])


def version() -> str:
    """Return the benchmark's version: a hash over the questions of each preset and a sample of works and photos.

    Figures of different versions must not be compared.
    """
    digest = hashlib.sha256()
    for name, preset in PRESETS.items():
        digest.update(f"{name} {preset}\n".encode())
        digest.update("\n".join(question.name for question in questions(preset)).encode())
    for file in _sample():
        digest.update(hashlib.sha256(file).digest())
    return digest.hexdigest()[:12]


def _sample() -> Iterator[bytes]:
    """Yield the first works, and one photo of each kind at each severity."""
    preset = PRESETS["tiny"]
    yield from (catalogue_picture(number) for number in range(4))
    seen = set()
    for question in questions(preset):
        if (question.kind, question.severity) not in seen:
            seen.add((question.kind, question.severity))
            yield photo(question)


def _positives(preset: Preset) -> Iterator[Question]:
    """Yield photos of enrolled works; no work twice at one severity unless there are too few."""
    for severity in LIMITS:
        order = generator(21, severity, preset.works).permutation(preset.works)
        for number in range(preset.positives):
            yield Question("known", severity, number, int(order[number % preset.works]))


def _open_set(preset: Preset) -> Iterator[Question]:
    severities = tuple(LIMITS)
    for number in range(preset.open_set):
        related = int(generator(22, number).integers(preset.works))
        severity = severities[number // len(OPEN_SET) % len(severities)]
        yield Question(OPEN_SET[number % len(OPEN_SET)], severity, number, related)


def _subject(question: Question) -> Picture:
    """Paint the work that the question's photo shows."""
    by, composition, detail = work(question.work, seed=SEED)
    new = _NEW + question.number
    if question.kind == "artist":
        composition, detail = new, 0
    elif question.kind == "series":
        detail = new
    elif question.kind == "unknown":
        by, composition, detail = _own(_UNKNOWN_ARTISTS + question.number), 0, 0
    return painting(by, composition, detail, size=SIZE)


def _own(number: int) -> int:
    """Return the ``number``-th artist of the benchmark's seed."""
    return work(0, seed=SEED)[0] + number
