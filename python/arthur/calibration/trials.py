"""Trials: simulated photos of known outcome, and what speaks for each entry after every look."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from types import MappingProxyType

import cv2
import numpy as np

from arthur.decision import Signs
from arthur.errors import ArthurError
from arthur.recognition.sighting import Entry, Sighting
from arthur.recognizer import Recognizer
from arthur.simulation.fields import Picture, generator
from arthur.simulation.photo import photograph
from arthur.types import StoredView

SEVERITIES = (1, 2, 3, 4)
KEPT = 6
"""Entries of each look that are remembered, the right one always among them."""
QUALITY = 92
_CHUNK = 16


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a photo brought.

    Attributes:
        step: see `arthur.recognition.cascade`.
        entries: what speaks for each entry.
        right: which of them is on the photo; None when none is.
    """

    step: str
    entries: tuple[Signs, ...]
    right: int | None


@dataclass(frozen=True, slots=True)
class Trial:
    """One photo.

    Attributes:
        severity: 1 to 4.
        known: whether its work counts as enrolled; if not, no look has a right entry.
        looks: from the first to the closest.
        count: as how many photos it counts.
    """

    severity: int
    known: bool
    looks: tuple[Look, ...]
    count: float = 1.0


def run_trials(
    recognizer: Recognizer,
    views: Sequence[StoredView],
    picture_of: Callable[[StoredView], Picture | None],
    *,
    seed: int,
    twins: Mapping[Entry, Set[Entry]] = MappingProxyType({}),
    threads: int = 2,
) -> Iterator[list[Trial]]:
    """Photograph each view once and yield its trials: as it is, and as if its entry were not enrolled.

    Works of the same artist or series stay enrolled, so the second kind is as hard as the catalogue makes it. A view
    whose picture is gone, or which cannot be recognized for a fault of a part, yields no trials.

    Args:
        recognizer: looks at the photos.
        views: the photo of the n-th is of the n-th seed and of severity 1 to 4 in turn.
        picture_of: gives the view's picture, (h, w, 3) uint8 RGB, or None.
        seed: the same seed and pictures give the same photos.
        twins: entries that hold the same picture as another, by that one: naming either is right.
        threads: photos that are looked at side by side.
    """

    def run(numbered: tuple[int, StoredView]) -> list[Trial]:
        number, view = numbered
        art = picture_of(view)
        if art is None:
            return []
        severity = SEVERITIES[number % len(SEVERITIES)]
        photo, _ = photograph(art, int(generator(91, seed, number).integers(2**31)), severity=severity)
        try:
            looks = recognizer.observe(encoded(photo))
        except ArthurError:
            return []
        own = (view.view.artist_id, view.view.entry_id)
        truth = {own, *twins.get(own, ())}
        return [trial_of(looks, truth, severity), trial_of(_without(looks, truth), frozenset(), severity)]

    with ThreadPoolExecutor(threads) as pool:
        numbered = enumerate(views)
        while chunk := list(islice(numbered, _CHUNK)):
            yield from pool.map(run, chunk)


def encoded(photo: Picture) -> bytes:
    """Return an RGB picture as the JPEG a camera would send."""
    return bytes(cv2.imencode(".jpg", photo[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1])


def trial_of(
    looks: Iterable[tuple[str, list[Sighting]]], truth: Set[Entry], severity: int, *, count: float = 1.0
) -> Trial:
    """Return the trial of a photo of what the entries `truth` hold: the last look of each step counts."""
    last = dict(looks)
    kept = tuple(_look(step, sightings, truth) for step, sightings in last.items())
    return Trial(severity, bool(truth), kept, count)


def _without(looks: Iterable[tuple[str, list[Sighting]]], entries: Set[Entry]) -> Iterator[tuple[str, list[Sighting]]]:
    """Yield the looks as if those entries were not enrolled."""
    for step, sightings in looks:
        yield step, [one for one in sightings if one.entry not in entries]


def _look(step: str, sightings: Sequence[Sighting], truth: Set[Entry]) -> Look:
    own = [one.signs for one in sightings if one.entry in truth][:1]  # twins count as one, by the stronger
    others = [one.signs for one in sightings if one.entry not in truth]
    entries = (*own, *others[: KEPT - len(own)])
    if any(signs.inliers is not None for signs in entries):
        entries = tuple(signs if signs.inliers is not None else replace(signs, inliers=0) for signs in entries)
    return Look(step, entries, 0 if own else None)


def sample(views: Sequence[StoredView], count: int, *, seed: int) -> list[StoredView]:
    """Return `count` views drawn at random; each is drawn twice only when all have been drawn once."""
    chance = np.random.default_rng(seed)
    drawn: list[StoredView] = []
    while len(drawn) < count and views:
        drawn.extend(views[place] for place in chance.permutation(len(views))[: count - len(drawn)].tolist())
    return drawn
