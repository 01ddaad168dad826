"""An entry under judgement: its best view so far, and what speaks for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from arthur.decision import Signs, strength
from arthur.recognition.ranking import Ranked
from arthur.types import StoredView

Entry = tuple[str, str]
Corners = NDArray[np.float32]
"""(4, 2) float32, pixels of the preview: the work's corners from its top left, clockwise as it hangs."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One view of an entry, compared with a photo.

    Attributes:
        corners: where the work is in the preview of the photo; None when geometry did not find it.
        frame: place of that photo, where there are several of one work.
    """

    stored: StoredView
    signs: Signs
    corners: Corners | None = None
    frame: int = 0

    @property
    def entry(self) -> Entry:
        """Artist and entry."""
        return self.stored.view.artist_id, self.stored.view.entry_id


def by_score(ranked: Ranked) -> Sighting:
    """Return the sighting of an entry of which only the score is known."""
    return Sighting(ranked.stored, Signs(ranked.score))


class Sightings:
    """Each entry by the strongest of its views. Belongs to one thread."""

    def __init__(self, found: Iterable[Sighting] = ()) -> None:
        self._best: dict[Entry, Sighting] = {}
        self.keep(found)

    def keep(self, found: Iterable[Sighting]) -> None:
        """Take up sightings: of one entry the stronger one stays, and one that geometry judged before others."""
        for sighting in found:
            kept = self._best.get(sighting.entry)
            if kept is not None and kept.stored.key == sighting.stored.key:
                sighting = _informed(sighting, kept)
            if kept is None or strength(sighting.signs) > strength(kept.signs):
                self._best[sighting.entry] = sighting

    def join(self, found: Iterable[Sighting]) -> None:
        """Take up sightings on a further photo of the same work: of each sign the stronger one counts."""
        self._best = {one.entry: one for one in self.joined(found)}

    def joined(self, found: Iterable[Sighting]) -> list[Sighting]:
        """Return what `join` would lead to, strongest first."""
        best = dict(self._best)
        for sighting in found:
            kept = best.get(sighting.entry)
            best[sighting.entry] = sighting if kept is None else _joined(kept, sighting)
        return sorted(best.values(), key=_strength, reverse=True)

    def strongest(self) -> list[Sighting]:
        """Return the entries, strongest first."""
        return sorted(self._best.values(), key=_strength, reverse=True)


def _strength(sighting: Sighting) -> tuple[bool, float, float]:
    return strength(sighting.signs)


def _joined(one: Sighting, other: Sighting) -> Sighting:
    """Return the view that geometry found better, with the stronger of both for each sign."""
    if (other.signs.inliers or 0) > (one.signs.inliers or 0):
        one, other = other, one
    a, b = one.signs, other.signs
    signs = Signs(
        score=max(a.score, b.score),
        inliers=a.inliers if b.inliers is None else max(a.inliers or 0, b.inliers),
        coverage=max(a.coverage, b.coverage),
        support=max(a.support, b.support),
        central=max(a.central, b.central),
        off_middle=min(a.off_middle, b.off_middle),
        agreement=_higher(a.agreement, b.agreement),
        typical=_higher(a.typical, b.typical),
    )
    return replace(one, signs=signs)


def _higher(one: float | None, other: float | None) -> float | None:
    return max((value for value in (one, other) if value is not None), default=None)


def _informed(sighting: Sighting, before: Sighting) -> Sighting:
    """Return the sighting with what an earlier one of the same view had compared, where it has not itself."""
    signs, known = sighting.signs, before.signs
    compared = known if signs.agreement is None else signs
    return replace(sighting, signs=replace(signs, agreement=compared.agreement, typical=compared.typical))
