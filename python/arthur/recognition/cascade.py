"""Looks at a photo, each closer and costlier than the one before, until whoever asks has seen enough.

1. `scores`: the vector index has been searched; nothing more is done.
2. `quick`: local features of a small picture; the best entries and the first votes are verified. Often enough.
3. `checked`: the works that were found are set upright and compared with the enrolled pictures all over.
4. `thorough`: local features of the whole preview; many votes, verified in parts.
5. `rechecked`: what `checked` does, for what is best by now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from arthur.decision import Signs
from arthur.recognition.agreement import FINER, SIDE, agreement
from arthur.recognition.geometry import PREVIEW_SIDE, Geometry, Gray, Rgb, luma, shrunk
from arthur.recognition.parts import Parts
from arthur.recognition.searcher import Found
from arthur.recognition.sighting import Entry, Sighting, Sightings, by_score
from arthur.recognition.stages import Stages
from arthur.recognition.thumbnails import thumbnail
from arthur.types import StoredView, Vectors
from arthur.verify import Look, Verification

STEPS = ("scores", "quick", "checked", "thorough", "rechecked")
CHECKS = ("checked", "rechecked")
"""Those after which all that can be known of what was found is known."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much one look takes in.

    Attributes:
        side: longest side of the picture, pixels.
        entries, votes: entries by score, and views by votes, that are verified.
        part: how many are verified before the decision is asked for.
    """

    side: int
    entries: int
    votes: int
    part: int


GLANCE = Extent(side=160, entries=1, votes=0, part=1)
LARGE = 0.9
"""Score of the whole photo from which a glance comes first: the work fills the photo, so little resolution will do."""
QUICK = Extent(side=320, entries=3, votes=7, part=2)
THOROUGH = Extent(side=PREVIEW_SIDE, entries=10, votes=48, part=12)
CHECKED = 3
"""Entries that are compared all over."""

View: TypeAlias = tuple[StoredView, float]
"""A view and its score against the whole photo."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo as it is recognized.

    Attributes:
        vector: (1, dim) unit row.
        preview: (h, w, 3) uint8 RGB, longest side at most PREVIEW_SIDE; None when geometry is not wanted.
    """

    vector: Vectors
    preview: Rgb | None


class Cascade:
    """Yields what is known after each look. Callable from any thread."""

    def __init__(self, parts: Parts, geometry: Geometry | None) -> None:
        self._parts = parts
        self._geometry = geometry

    def __call__(
        self, photo: Photo, found: Found, stages: Stages, *, frame: int = 0, leave_out: Entry | None = None
    ) -> Iterator[tuple[str, list[Sighting]]]:
        """Yield the name of the step just done and the entries, strongest first; a long step comes several times.

        Nothing is done for a step until it is asked for.

        Args:
            photo: what to look at.
            found: what the vector index brought.
            stages: is told the time of `features`, `vote`, `verify` and `check`.
            frame: place of the photo, where there are several of one work.
            leave_out: an entry that must not be among the entries.

        Raises:
            EngineError: the verifier or the engine failed.
            StoreError: the catalog or the local index does not answer.
        """
        sightings = Sightings(map(by_score, found.entries))
        yield "scores", sightings.strongest()
        if self._geometry is None or photo.preview is None:
            return
        gray = luma(photo.preview)
        candidates = Candidates(self._parts, self._geometry, photo, found, leave_out)
        for step, check, extent in self._looks(found):
            if step == "thorough" and max(gray.shape) <= QUICK.side:
                # there is nothing more to see in so small a photo
                yield "rechecked", sightings.strongest()
                return
            small = shrunk(gray, extent.side)
            with stages.stage("features", checked=False):
                look = self._geometry.look(small)
            scale = max(gray.shape) / max(small.shape)
            for part in candidates(look, stages, scale=scale, extent=extent):
                sightings.keep(replace(one, frame=frame) for one in part)
                yield step, sightings.strongest()
            with stages.stage("check", checked=False):
                sightings = Sightings(self._checked(gray, sightings.strongest()))
            yield check, sightings.strongest()

    def _looks(self, found: Found) -> Iterator[tuple[str, str, Extent]]:
        """Give the looks to be taken: their step, the step that checks what they found, and their extent."""
        if found.entries and found.entries[0].score >= LARGE:
            yield "quick", "checked", GLANCE
        yield "quick", "checked", QUICK
        yield "thorough", "rechecked", THOROUGH

    def _checked(self, photo: Gray, sightings: Sequence[Sighting]) -> list[Sighting]:
        """Compare the works that were found all over with their thumbnails, where these are kept."""
        chosen = {one.stored.key for one in [one for one in sightings if one.corners is not None][:CHECKED]}
        return [self._compared(photo, one) if one.stored.key in chosen else one for one in sightings]

    def _compared(self, photo: Gray, one: Sighting) -> Sighting:
        work = thumbnail(self._parts, one.stored, side=SIDE * FINER)
        agrees = None if work is None or one.corners is None else agreement(photo, one.corners, luma(work))
        mean, median = (None, None) if agrees is None else (agrees.mean, agrees.median)
        return replace(one, signs=replace(one.signs, agreement=mean, typical=median))


@dataclass(frozen=True, slots=True)
class Candidates:
    """Finds and verifies candidates for one photo."""

    parts: Parts
    geometry: Geometry
    photo: Photo
    found: Found
    leave_out: Entry | None

    def __call__(self, look: Look, stages: Stages, *, scale: float, extent: Extent) -> Iterator[list[Sighting]]:
        """Yield the sightings of the best entries and of the voted views, a part at a time.

        `scale` leads from pixels of the look to pixels of the preview.
        """
        voted = self.geometry.vote(look, extent.votes, self.found.where, stages) if extent.votes else ()
        views = self._views(voted, extent.entries, stages)
        for first in range(0, len(views), extent.part):
            with stages.stage("verify", checked=False):
                part = self._verified(look, views[first : first + extent.part], scale)
            yield part

    def _views(self, voted: Iterable[int], entries: int, stages: Stages) -> list[View]:
        """Return the candidates in turn from votes and scores, each view once, with its score."""
        scored = {one.stored.key: (one.stored, one.score) for one in self.found.entries[:entries]}
        keys = np.array([key for key in voted if key not in scored], np.int64)
        if not len(keys):
            return list(scored.values())
        with stages.stage("catalog", checked=False):
            stored = self.parts.catalog.views(keys)
            vectors = self.parts.catalog.vectors(keys, self.parts.encoder.spec.fingerprint)
        by_votes = [
            (stored[key], _cosine(self.photo.vector[0], vectors[key]))
            for key in keys.tolist()
            if key in stored and key in vectors
        ]
        by_votes = [view for view in by_votes if _entry(view[0]) != self.leave_out]
        return _in_turn(list(scored.values()), by_votes)

    def _verified(self, look: Look, views: Sequence[View], scale: float) -> list[Sighting]:
        verified = self.geometry.verify(look, [stored.key for stored, _ in views])
        return [
            _sighting(stored, score, verified[stored.key], scale) for stored, score in views if stored.key in verified
        ]


def _sighting(stored: StoredView, score: float, verification: Verification, scale: float) -> Sighting:
    if verification.quad is None:
        return Sighting(stored, Signs(score, inliers=0))
    central = min(1.0, max(0.0, 1 - verification.aside))
    signs = Signs(
        score,
        inliers=verification.inliers,
        coverage=verification.coverage,
        support=verification.support,
        central=central,
        off_middle=verification.off_middle,
    )
    return Sighting(stored, signs, (verification.quad * scale).astype(np.float32))


def _in_turn(one: list[View], other: list[View]) -> list[View]:
    """Merge two rankings: the first of each, then the second of each, and so on."""
    longest = max(len(one), len(other))
    return [ranking[place] for place in range(longest) for ranking in (one, other) if place < len(ranking)]


def _cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(min(1.0, max(-1.0, float(one @ other))))


def _entry(stored: StoredView) -> Entry:
    return stored.view.artist_id, stored.view.entry_id
