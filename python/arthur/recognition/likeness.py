"""Finds works that are hard to tell apart: what would each view be taken for, were its own entry not enrolled?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import structlog
from numpy.typing import NDArray

from arthur.errors import ArthurError
from arthur.recognition.agreement import FINER, SIDE, agreement
from arthur.recognition.cascade import Candidates, Extent, Photo
from arthur.recognition.follower import Progress
from arthur.recognition.geometry import PREVIEW_SIDE, Geometry
from arthur.recognition.parts import Parts
from arthur.recognition.searcher import Searcher
from arthur.recognition.sighting import Sighting, Sightings, by_score
from arthur.recognition.stages import Stages
from arthur.recognition.thumbnails import thumbnail
from arthur.types import Changes, Likeness, Query, StoredView

log = structlog.get_logger(__name__)

_PAGE = 256
"""Views compared between two reports of progress."""
COMPARED = Extent(side=PREVIEW_SIDE, entries=4, votes=6, part=10)
CONFUSABLE = 0.5
"""Probability from which a view would rather be taken for another entry than for none."""
SAME_SCORE = 0.95
"""From here on two confusable views count as the same picture where geometry was not consulted."""
SAME_COVERAGE, SAME_SUPPORT, SAME_AGREEMENT = 0.5, 0.45, 0.9
"""And where it was: perhaps of another size, a little cropped, or photographed anew. Of 120 pairs of one painted series
none reached the second, and few the third; two catalogue pictures of one painting .90, .56 and .96."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A view in the catalog, and what it was described by; `packed` is None without a verifier."""

    stored: StoredView
    vector: NDArray[np.float32]
    packed: bytes | None


class Likenesses:
    """Compares enrolled views with other entries. Callable from any thread."""

    def __init__(self, parts: Parts, search: Searcher, geometry: Geometry | None) -> None:
        self._parts = parts
        self._search = search
        self._geometry = geometry

    def note(self, enrolled: Sequence[Enrolled], *, again: bool = False) -> int:
        """Find and remember the likenesses of views that were put; return how many.

        What was known of views that are compared `again` is forgotten.

        A fault of a part is logged and no more: it must not fail the write that came before.
        """
        try:
            found = [likeness for one in enrolled for likeness in self.of(one)]
            compared = [one.stored.key for one in enrolled] if again else []
            self._parts.catalog.put_likenesses(found, compared=compared)
        except ArthurError as error:
            log.error("likenesses_failed", error=str(error))  # noqa: TRY400  # one line says it
            return 0
        return len(found)

    def rescan(self, progress: Callable[[Progress], None]) -> int:
        """Compare every view that the engine has embedded, and return how many likenesses were found.

        Raises:
            StoreError: the catalog did not answer.
        """
        catalog = self._parts.catalog
        found, since, more = 0, 0, True
        while more:
            changes = catalog.changes(since, _PAGE, self._parts.encoder.spec.fingerprint)
            found += self.note(self._recalled(changes), again=True)
            since, more = changes.upto, changes.more
            progress(Progress("likenesses", since, max(catalog.latest(), since)))
        return found

    def _recalled(self, changes: Changes) -> list[Enrolled]:
        """Return the views that a page of history put, with what they were described by."""
        catalog, local = self._parts.catalog, self._parts.local
        stored = catalog.views(changes.keys)
        packed = catalog.features(changes.keys, local.verifier.fingerprint) if local is not None else {}
        return [
            Enrolled(stored[key], vector, packed.get(key))
            for key, vector in zip(changes.keys.tolist(), changes.vectors, strict=True)
            if key in stored
        ]

    def of(self, one: Enrolled) -> list[Likeness]:
        """Return the likenesses of a view with views of other entries.

        Raises:
            EngineError: the verifier failed.
            StoreError: the catalog or an index does not answer.
        """
        own = (one.stored.view.artist_id, one.stored.view.entry_id)
        stages = Stages(clock=self._parts.clock, span=self._parts.span)
        found = self._search(one.vector[None], Query(k=COMPARED.entries), stages, leave_out=own)
        sightings = Sightings(map(by_score, found.entries[: COMPARED.entries]))
        if self._geometry is not None and one.packed is not None:
            look = self._geometry.recall(one.packed)
            candidates = Candidates(self._parts, self._geometry, Photo(one.vector[None], None), found, own)
            for part in candidates(look, stages, scale=1.0, extent=COMPARED):
                sightings.keep(part)
        return [self._likeness(one, sighting) for sighting in sightings.strongest() if self._probable(sighting)]

    def _probable(self, sighting: Sighting) -> bool:
        return self._parts.calibration.probability(sighting.signs) >= CONFUSABLE

    def _likeness(self, one: Enrolled, sighting: Sighting) -> Likeness:
        signs, other = sighting.signs, sighting.stored
        same = one.stored.content_hash == other.content_hash or self._is_same(one.stored, sighting)
        return Likeness(
            key=one.stored.key,
            other=other.key,
            kind="duplicate" if same else "confusable",
            probability=self._parts.calibration.probability(signs),
            score=signs.score,
            inliers=signs.inliers,
            coverage=None if signs.inliers is None else signs.coverage,
        )

    def _is_same(self, stored: StoredView, sighting: Sighting) -> bool:
        signs = sighting.signs
        if signs.inliers is None:
            return signs.score >= SAME_SCORE
        if signs.coverage < SAME_COVERAGE or signs.support < SAME_SUPPORT or sighting.corners is None:
            return False
        one, other = (thumbnail(self._parts, view, side=SIDE * FINER) for view in (stored, sighting.stored))
        if one is None or other is None:
            return False
        described = min(PREVIEW_SIDE, max(stored.width, stored.height))
        corners = sighting.corners * np.float32(max(one.shape) / described)
        # each colour by itself: prints of one plate in other colours are other works
        colours = [
            agreement(np.ascontiguousarray(one[..., colour]), corners, np.ascontiguousarray(other[..., colour]))
            for colour in range(3)
        ]
        return min((agrees.mean for agrees in colours if agrees is not None), default=0.0) >= SAME_AGREEMENT
