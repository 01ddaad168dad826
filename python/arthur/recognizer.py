"""The heart: which entry of the catalogue does a photo show, and how does the catalogue come to know its pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TypeVar

import numpy as np
import structlog

from arthur.decision import Decision, decide
from arthur.errors import ArthurError, BadRequest, NotFound, StoreError
from arthur.pictures import Pictures, versions
from arthur.recognition.answers import Answers, content_hash
from arthur.recognition.enrolment import Embedded, Enrolment, Preparation
from arthur.recognition.follower import Follower, Progress
from arthur.recognition.parts import Options, Parts
from arthur.recognition.ranking import Ranked
from arthur.recognition.searcher import Found, Searcher, check_query
from arthur.recognition.stages import Stages
from arthur.types import JsonValue, Match, Put, Query, Recognition, Vectors, ViewId

__all__ = ["Enrolment", "Progress", "Recognizer"]

Answer = TypeVar("Answer")

log = structlog.get_logger(__name__)

NO_GEOMETRY = "geometry was not consulted: no verifier is installed"
BELOW_MIN_SCORE = "no entry reaches min_score"
UNKNOWN_ARTISTS = "none of the named artists is in the catalogue"


def _silent(_: Progress) -> None:
    """Take a progress report without showing it."""


class Recognizer:
    """Recognizes, enrolls and forgets. Every method may be called from any thread, and blocks.

    A write that returned is in the catalog for good, and the next `recognize` of any process on the same catalog
    finds it: each search first brings its index to the catalog's newest sequence.
    The parts stay the caller's: closing them ends the Recognizer.
    """

    def __init__(self, parts: Parts, options: Options) -> None:
        self._parts = parts
        self._options = options
        self._spec = parts.encoder.spec
        self._follower = Follower(parts.catalog, parts.index, fingerprint=self._spec.fingerprint)
        self._search = Searcher(parts, self._follower)
        self._prepare = Preparation(parts.decoder, parts.encoder, options)
        self._pictures = Pictures(parts.blobs, keep_originals=options.keep_originals)
        self._answers = Answers(
            parts.cache,
            fingerprint=self._spec.fingerprint,
            identity=parts.identity,
            calibration=parts.calibration,
        )

    def recognize(self, image: bytes, query: Query = Query()) -> Recognition:  # noqa: B008  # frozen
        """Return the entries most like the photo, and the decision about the best one.

        If the index fails, a small catalogue is scanned instead and the answer says `degraded`.

        Raises:
            BadRequest: the query is out of range.
            InvalidImage: the bytes are no picture that may be used.
            DeadlineExceeded: `query.deadline_ms` passed before the search ended.
            EngineError, Overloaded: the engine failed, or its queue is full.
            StoreError: the catalog did not answer, or the index failed and the catalogue is large.
        """
        check_query(query)
        stages = Stages(query.deadline_ms, clock=self._parts.clock)
        with stages.stage("cache"):
            content = content_hash(image)
            kept = self._answers.answer(content, query, self._parts.catalog.latest())
        if kept is not None:
            return replace(kept, timings_ms=stages.timings_ms)
        vector = self._vector(image, content, stages)
        answer = self._answer(vector, query, stages)
        self._answers.put_answer(content, query, answer)
        return answer

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
        prepared = self._prepare(enrolments)
        rows = [one for one in prepared if isinstance(one, Embedded)]
        puts = iter(self._parts.catalog.put([one.row for one in rows]) if rows else [])
        outcomes: list[Put | ArthurError] = []
        for enrolment, one in zip(enrolments, prepared, strict=True):
            outcomes.append(self._kept(next(puts), enrolment, one) if isinstance(one, Embedded) else one)
        self._follow()
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
        self._follow()
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
        vector = self._parts.catalog.vectors(keys, self._spec.fingerprint).get(stored.key)
        if vector is None:
            raise NotFound(f"view {view.hierarchical} was never embedded by the engine {self._spec.label}")
        stages = Stages(clock=self._parts.clock)
        found = self._search(vector[None], query, stages, leave_out=(view.artist_id, view.entry_id))
        return self._judged(found, query)[1]

    def reindex(self, progress: Callable[[Progress], None] = _silent) -> int:
        """Make sure that the index equals the catalog, rebuild it if it differs; return how many views it holds.

        Searches that run meanwhile wait or are repeated, so they miss nothing.

        Raises:
            StoreError: the catalog or the index failed.
        """
        self._follower.verify(progress)
        self._parts.index.checkpoint()
        return len(self._parts.index)

    def ready(self) -> None:
        """Return if a photo could be recognized now: the engine gives its known vector and the index has all.

        Raises:
            EngineError: the engine gives another vector than when it was loaded, or none.
            StoreError: the catalog or the index does not answer.
        """
        self._parts.canary()
        self._follower.catch_up()

    def status(self) -> Mapping[str, JsonValue]:
        """Return counts, sequences and the state of each part; a part that does not answer is None and `degraded`."""
        counts, index = _or_none(self._counts), _or_none(self._index_state)
        return {
            "engine": self._spec.label,
            "calibrated": self._parts.calibration.for_catalogue,
            "counts": counts,
            "catalog_seq": _or_none(self._parts.catalog.latest),
            "index": index,
            "picture_failures": self._pictures.failures,
            "degraded": [name for name, state in (("catalog", counts), ("index", index)) if state is None],
        }

    def _vector(self, image: bytes, content: str, stages: Stages) -> Vectors:
        """Return the `(1, dim)` vector of a photo, from the cache if it was seen before."""
        kept = self._answers.vector(content, self._spec.dim)
        if kept is not None:
            return kept
        with stages.stage("decode"):
            picture = self._parts.decoder(image, self._spec.side, fit=self._spec.fit)
        with stages.stage("encode"):
            vector = self._parts.encoder.encode(picture.pixels[None])
        self._answers.put_vector(content, vector)
        return vector

    def _answer(self, vector: Vectors, query: Query, stages: Stages) -> Recognition:
        """Search, decide and put the answer together."""
        found = self._search(vector, query, stages)
        with stages.stage("decision", checked=False):
            decision, matches = self._judged(found, query)
        return Recognition(
            decision=decision.kind,
            probability=decision.probability,
            reasons=decision.reasons,
            matches=matches,
            engine=self._spec.label,
            catalog_seq=found.sequence,
            degraded=found.degraded,
            timings_ms=stages.timings_ms,
        )

    def _judged(self, found: Found, query: Query) -> tuple[Decision, tuple[Match, ...]]:
        """Decide about the best entry, and show those that were asked for.

        Entries below `min_score` are not shown, but are still rivals by whose distance the best one is judged.
        """
        limit = query.max_false_accept or self._options.max_false_accept
        scores = [ranked.score for ranked in found.entries]
        decision = decide(scores, self._parts.calibration, max_false_accept=limit)
        floor = -np.inf if query.min_score is None else query.min_score
        shown = zip(found.entries[: query.k], decision.probabilities, strict=False)
        matches = tuple(_match(ranked, probability) for ranked, probability in shown if ranked.score >= floor)
        if scores and not matches:
            decision = Decision("no_match", 0.0, (BELOW_MIN_SCORE,))
        reasons = decision.reasons if found.known else (UNKNOWN_ARTISTS,)
        caveat = (NO_GEOMETRY,) if query.verify == "always" else ()
        return replace(decision, reasons=(*reasons, *caveat)), matches

    def _kept(self, put: Put, enrolment: Enrolment, embedded: Embedded) -> Put:
        """Keep the pictures of a view that was put."""
        self._pictures.keep(put, enrolment.image, embedded.thumbnail)
        return put

    def _follow(self) -> None:
        """Bring the index up to date after a write, so that the next search need not.

        The write is committed; a fault of the index is for the next search to meet, which can answer without it.
        """
        try:
            self._follower.catch_up()
        except StoreError as error:
            log.error("index_failed", error=str(error))  # noqa: TRY400  # one line says it; the cause is in the message

    def _counts(self) -> dict[str, JsonValue]:
        return dict(asdict(self._parts.catalog.counts()))

    def _index_state(self) -> dict[str, JsonValue]:
        index = self._parts.index
        return {**index.stats(), "views": len(index), "sequence": index.sequence}


def _match(ranked: Ranked, probability: float) -> Match:
    return Match(ranked.stored.view, ranked.score, probability, ranked.stored.metadata)


def _or_none(ask: Callable[[], Answer]) -> Answer | None:
    """Return what a part says about itself, or None when it does not answer."""
    try:
        return ask()
    except StoreError:
        return None
