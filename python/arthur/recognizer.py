"""The heart: which entry of the catalogue does a photo show, and how does the catalogue come to know its pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial

import numpy as np
import structlog

from arthur.decision import Calibration
from arthur.errors import ArthurError, BadRequest, EngineReplaced, NotFound, StoreError
from arthur.pictures import Pictures, versions
from arthur.recognition.conclusion import similar_matches
from arthur.recognition.enrolment import Embedded, Enrolment
from arthur.recognition.follower import Follower, Progress
from arthur.recognition.geometry import Geometry
from arthur.recognition.model import Model
from arthur.recognition.models import Models
from arthur.recognition.parts import ClearableIndex, ClearableLocalIndex, Options, Parts
from arthur.recognition.searcher import check_query
from arthur.recognition.sighting import Sighting
from arthur.recognition.stages import Stages
from arthur.recognition.state import Pulse, pulse_of, state_of
from arthur.types import JsonValue, Match, Put, Query, Question, Recognition, SearchAnswer, StoredView, ViewId

__all__ = ["Enrolment", "Progress", "Recognizer"]

log = structlog.get_logger(__name__)

_AGAIN = 4
"""How often a write is made anew because the engine was replaced meanwhile."""


def _silent(_: Progress) -> None:
    """Take a progress report without showing it."""


class Recognizer:
    """Recognizes, enrolls and forgets. Every method may be called from any thread, and blocks.

    A write that returned is in the catalog for good, and the next `recognize` of any process on the same catalog
    finds it: each search first brings its index to the catalog's newest sequence.
    Each call is answered by one engine with its own index and calibration, from its beginning to its end, also while
    the catalog puts another engine in force.

    Args:
        parts: to begin with.
        options: the settings.
        reopen: opens the parts for the fingerprint of another engine that was put in force; None stays with `parts`.
    """

    def __init__(self, parts: Parts, options: Options, *, reopen: Callable[[str], Parts] | None = None) -> None:
        self._parts = parts
        self._geometry = None if parts.local is None else Geometry(parts.local, parts.catalog)
        made = partial(Model, options=options, geometry=self._geometry)
        opened = None if reopen is None else lambda fingerprint: made(reopen(fingerprint))
        self._models = Models(made(parts), parts.catalog, opened)
        self._pictures = Pictures(parts.blobs, keep_originals=options.keep_originals)

    def recognize(self, image: bytes, query: Query = Query()) -> Recognition:  # noqa: B008  # frozen
        """Return the entries most like the photo, and the decision about the best one. See recognize_frames."""
        return self.recognize_frames((image,), query)

    def recognize_frames(self, images: Sequence[bytes], query: Query = Query()) -> Recognition:  # noqa: B008  # frozen
        """Return the entries most like several photos of one work, what speaks for an entry on any of them joined.

        If the index fails, its standby answers, or a small catalogue is scanned; if the verifier or the local index
        fails, the vectors alone decide. Either way the answer says `degraded`.

        Raises:
            BadRequest: the query is out of range, or there is no photo.
            InvalidImage: the bytes are no picture that may be used.
            DeadlineExceeded: `query.deadline_ms` passed before the search ended.
            EngineError, Overloaded: the engine failed, or its queue is full.
            StoreError: the catalog did not answer, or the index failed and the catalogue is large.
        """
        check_query(query)
        if not images:
            raise BadRequest("at least one photo is needed")
        with self._models.taken() as model:
            return model.match(images, query)

    def search(self, question: Question) -> SearchAnswer:
        """Return the entries nearest to what texts and pictures tell together, without any decision about them.

        Raises:
            BadRequest: the question is out of range, empty, or its parts cancel each other out.
            Conflict: it has a text, and the engine cannot read text.
            InvalidImage, EngineError, Overloaded, StoreError: see recognize_frames.
        """
        with self._models.taken() as model:
            return model.ask(question)

    @property
    def calibration(self) -> Calibration:
        """The calibration by which photos are decided about now."""
        with self._models.any() as model:
            return model.parts.calibration

    @property
    def verifier(self) -> str | None:
        """Fingerprint of the verifier; None without one."""
        return None if self._parts.local is None else self._parts.local.verifier.fingerprint

    def observe(self, image: bytes) -> list[tuple[str, list[Sighting]]]:
        """Return what each look at a photo brings, from the scores to the closest one, without any decision.

        Raises:
            InvalidImage, EngineError, Overloaded, StoreError: see recognize.
        """
        with self._models.taken() as model:
            return model.match.observe(image)

    def enroll(self, enrolment: Enrolment) -> Put:
        """Put one picture into the catalogue; a view of the same name is replaced by a new version.

        Raises:
            InvalidImage: the bytes are no picture that may be used.
            EngineError, Overloaded: the engine failed, or its queue is full.
            StoreError: the catalog could not write; nothing was changed.
        """
        (outcome,) = self.enroll_many([enrolment])
        if isinstance(outcome, ArthurError):
            raise outcome
        return outcome

    def enroll_many(self, enrolments: Sequence[Enrolment]) -> list[Put | ArthurError]:
        """Put pictures into the catalogue in one transaction; those that cannot be read or embedded are left out.

        Returns:
            For each enrolment, in order, its Put or the reason why it was left out.

        Raises:
            Overloaded: the queue of the engine is full; nothing was changed.
            StoreError: the catalog could not write; nothing was changed.
        """
        for _ in range(_AGAIN):
            with suppress(EngineReplaced), self._models.taken(writing=True) as model:
                return self._enrolled(enrolments, model)
        with self._models.taken(writing=True) as model:
            return self._enrolled(enrolments, model)

    def _enrolled(self, enrolments: Sequence[Enrolment], model: Model) -> list[Put | ArthurError]:
        """See enroll_many.

        Raises:
            EngineReplaced: the catalog has put another engine in force meanwhile; nothing was changed.
        """
        prepared = model.prepare(enrolments)
        rows = [one for one in prepared if isinstance(one, Embedded)]
        puts = iter(self._parts.catalog.put([one.row for one in rows]) if rows else [])
        outcomes: list[Put | ArthurError] = []
        for enrolment, one in zip(enrolments, prepared, strict=True):
            outcomes.append(self._kept(next(puts), enrolment, one) if isinstance(one, Embedded) else one)
        self._follow(model)
        put = [outcome for outcome in outcomes if isinstance(outcome, Put)]
        model.likenesses.note([row.enrolled(one.stored) for one, row in zip(put, rows, strict=True)])
        return outcomes

    def forget(self, artist_id: str, entry_id: str | None = None, view_id: str | None = None) -> int:
        """Remove a view, an entry or an artist with all below, and their pictures; return how many views went.

        Raises:
            BadRequest: a view without its entry was named.
            StoreError: the catalog could not write; nothing was changed.
        """
        if view_id is not None and entry_id is None:
            raise BadRequest("a view can only be named together with its entry")
        named = list(versions(self._parts.catalog, artist_id, entry_id, view_id))
        ended = set(self._parts.catalog.remove(artist_id, entry_id, view_id).tolist())
        with self._models.any() as model:
            self._follow(model)
        self._pictures.drop(version for version in named if version.key in ended)
        return len(ended)

    def similar(
        self, view: ViewId, *, k: int = 10, artist_ids: tuple[str, ...] = (), min_score: float | None = None
    ) -> tuple[Match, ...]:
        """Return the entries most like a stored view, its own entry left out, best first.

        Raises:
            BadRequest: `k` or `min_score` is out of range.
            NotFound: there is no such view, or it has no vector of this engine.
            StoreError: the catalog did not answer, or the index failed and the catalogue is large.
        """
        query = Query(k=k, artist_ids=artist_ids, min_score=min_score)
        check_query(query)
        stored = self._parts.catalog.view(view)
        if stored is None:
            raise NotFound(f"there is no view {view.hierarchical}")
        keys = np.array([stored.key], np.int64)
        with self._models.taken() as model:
            vector = self._parts.catalog.vectors(keys, model.spec.fingerprint).get(stored.key)
            if vector is None:
                raise NotFound(f"view {view.hierarchical} was never embedded by the engine {model.spec.label}")
            stages = Stages(clock=self._parts.clock, span=self._parts.span)
            found = model.search(vector[None], query, stages, leave_out=(view.artist_id, view.entry_id))
            return similar_matches(found, model.parts.calibration, query)

    def follow(self) -> None:
        """Bring the indices up to date after a write of another process, so that the next search need not."""
        with self._models.any() as model:
            self._follow(model)

    def prepare(self, fingerprint: str) -> str:
        """Open an engine in the background that may soon be in force; "" for none. See Models.foresee."""
        return self._models.foresee(fingerprint)

    def reindex(self, progress: Callable[[Progress], None] = _silent) -> int:
        """Make sure that the index equals the catalog, rebuild it if it differs; return how many views it holds.

        Searches that run meanwhile wait or are repeated, so they miss nothing.

        Raises:
            StoreError: the catalog or the index failed.
        """
        with self._models.taken() as model:
            for follower, index in self._followers(model):
                follower.verify(progress)
                index.checkpoint()
            return len(model.parts.index)

    def find_likenesses(self, progress: Callable[[Progress], None] = _silent) -> int:
        """Compare every view with the other entries, and remember the pairs that look alike; return how many.

        Raises:
            StoreError: the catalog did not answer.
        """
        with self._models.taken() as model:
            return model.likenesses.rescan(progress)

    def ready(self) -> None:
        """Return if a photo could be recognized now: the engine gives its known vector and the index has all.

        Raises:
            EngineError: the engine gives another vector than when it was loaded, or none.
            StoreError: the catalog or the index does not answer.
        """
        with self._models.taken() as model:
            model.parts.canary()
            for catch_up in self._catching_up(model):
                catch_up()

    def knows(self, stored: StoredView) -> bool:
        """Return whether a stored view has all that this engine and this verifier make of a picture.

        Raises:
            StoreError: the catalog did not answer.
        """
        keys = np.array([stored.key], np.int64)
        with self._models.taken() as model:
            if not self._parts.catalog.vectors(keys, model.spec.fingerprint):
                return False
        local = self._parts.local
        return local is None or bool(self._parts.catalog.features(keys, local.verifier.fingerprint))

    def status(self) -> Mapping[str, JsonValue]:
        """Return counts, sequences and the state of each part; a part that does not answer is None and `degraded`."""
        with self._models.any() as model:
            state = state_of(model)
        return {**state, "picture_failures": self._pictures.failures}

    def pulse(self) -> Pulse:
        """Return how far each index is, and what the engine's queue does."""
        with self._models.any() as model:
            return pulse_of(model)

    def close(self) -> None:
        """Close the engine and the index that are in force; the other parts stay the caller's."""
        self._models.close()

    def _kept(self, put: Put, enrolment: Enrolment, embedded: Embedded) -> Put:
        """Keep the pictures of a view that was put."""
        self._pictures.keep(put, enrolment.image, embedded.thumbnail)
        return put

    def _followers(self, model: Model) -> list[tuple[Follower, ClearableIndex | ClearableLocalIndex]]:
        """Return each index with the follower that keeps it equal to the catalog."""
        followers: list[tuple[Follower, ClearableIndex | ClearableLocalIndex]] = [*model.followers]
        if self._geometry is not None and self._parts.local is not None:
            followers.append((self._geometry.follower, self._parts.local.index))
        return followers

    def _catching_up(self, model: Model) -> list[Callable[[], object]]:
        return [model.catch_up] if self._geometry is None else [model.catch_up, self._geometry.follower.catch_up]

    def _follow(self, model: Model) -> None:
        """Bring the indices up to date after a write, so that the next search need not.

        What was written is committed; a fault is for the next search to meet, which can answer without an index.
        """
        for catch_up in self._catching_up(model):
            try:
                catch_up()
            except StoreError as error:
                log.error("index_failed", error=str(error))  # noqa: TRY400  # one line says it; the cause is in the message
