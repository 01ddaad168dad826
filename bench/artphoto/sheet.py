"""Contact sheets: many pictures on one, so that a person can look at what the simulator makes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from arthur.simulation.fields import Picture
from arthur.simulation.severity import LIMITS
from bench.artphoto.benchmark import OPEN_SET, SEED, SIZE, Kind, Question, picture_of
from bench.artphoto.paintings import WORKS_PER_ARTIST, painting, work

_GAP, _CAPTION = 6, 16
_PAPER, _INK = (250, 250, 250), (30, 30, 30)


@dataclass(frozen=True, slots=True)
class Captioned:
    """A picture, uint8 RGB, and what to write below it."""

    picture: Picture
    caption: str


def works(rows: int) -> list[list[Captioned]]:
    """Return the catalogue's first works, one artist a row."""
    return [
        [_catalogue(artist * WORKS_PER_ARTIST + place) for place in range(WORKS_PER_ARTIST)] for artist in range(rows)
    ]


def photos(rows: int) -> list[list[Captioned]]:
    """Return a work in each row with two photos of it at each severity."""
    return [
        [_catalogue(number), *(_asked("known", severity, take, number) for severity in LIMITS for take in range(2))]
        for number in range(0, 3 * rows, 3)
    ]


def open_set(rows: int) -> list[list[Captioned]]:
    """Return photos of nothing enrolled beside the related work, each kind as often as the benchmark asks it."""
    return [
        [
            _catalogue(number),
            *(_asked(OPEN_SET[number % len(OPEN_SET)], severity, number, number) for severity in LIMITS),
        ]
        for number in range(rows)
    ]


def nothing(rows: int) -> list[list[Captioned]]:
    """Return photos without any artwork."""
    return [[_asked("nothing", severity, row, row) for severity in LIMITS] for row in range(rows)]


SHEETS: dict[str, Callable[[int], list[list[Captioned]]]] = {
    "works": works,
    "photos": photos,
    "open-set": open_set,
    "nothing": nothing,
}


def sheet(rows: Sequence[Sequence[Captioned]], *, cell: int = 220) -> Picture:
    """Lay pictures out in rows of square cells of ``cell`` pixels, captions below: uint8 RGB."""
    columns = max(len(row) for row in rows)
    step_x, step_y = cell + _GAP, cell + _GAP + _CAPTION
    page = np.full((len(rows) * step_y + _GAP, columns * step_x + _GAP, 3), _PAPER, np.uint8)
    for y, row in enumerate(rows):
        for x, captioned in enumerate(row):
            top, left = _GAP + y * step_y, _GAP + x * step_x
            small = _fitted(captioned.picture, cell)
            page[top : top + small.shape[0], left : left + small.shape[1]] = small
            foot = (left, top + cell + _CAPTION - 4)
            cv2.putText(page, captioned.caption, foot, cv2.FONT_HERSHEY_SIMPLEX, 0.38, _INK, 1, cv2.LINE_AA)
    return page


def _fitted(picture: Picture, cell: int) -> Picture:
    scale = cell / max(picture.shape)
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _catalogue(number: int) -> Captioned:
    seeds = work(number, seed=SEED)
    return Captioned(painting(*seeds, size=SIZE), f"{seeds[0] % 1000}/{seeds[1]}/{seeds[2]}")


def _asked(kind: Kind, severity: int, number: int, related: int) -> Captioned:
    return Captioned(picture_of(Question(kind, severity, number, related)), f"{kind} {severity}")
