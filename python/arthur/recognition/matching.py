"""From a photo, or several of one work, to an answer: looked at as closely as the decision needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import structlog

from arthur.encode.deadline import within
from arthur.errors import ArthurError
from arthur.recognition.answers import Answers, content_hash
from arthur.recognition.cascade import STEPS, Cascade, Photo
from arthur.recognition.conclusion import Frame, Seen, conclude, judge
from arthur.recognition.geometry import PREVIEW_SIDE, Geometry
from arthur.recognition.pace import Pace
from arthur.recognition.parts import Options, Parts
from arthur.recognition.searcher import Found, Searcher
from arthur.recognition.sighting import Sighting, Sightings, by_score
from arthur.recognition.stages import Stages
from arthur.types import Query, Recognition

log = structlog.get_logger(__name__)

# The same photo may be asked about by many at once. To wait for the first one's answer pays as long as that is no
# longer than an answer takes.
_PATIENCE_S = 0.25


class Matcher:
    """Answers photos. Callable from any thread."""

    def __init__(self, parts: Parts, options: Options, search: Searcher, geometry: Geometry | None) -> None:
        self._parts = parts
        self._options = options
        self._search = search
        self._geometry = geometry
        self._cascade = Cascade(parts, geometry)
        self._pace = Pace()
        self._answers = Answers(
            parts.cache,
            fingerprint=parts.encoder.spec.fingerprint,
            verifier="" if parts.local is None else parts.local.verifier.fingerprint,
            identity=parts.identity,
            calibration=parts.calibration,
        )

    def __call__(self, images: Sequence[bytes], query: Query) -> Recognition:
        """Return the entries that the photos show; several are taken for photos of the same work.

        Raises:
            InvalidImage: the bytes are no picture that may be used.
            DeadlineExceeded: `query.deadline_ms` passed before the vectors were searched.
            EngineError, Overloaded: the engine failed, or its queue is full.
            StoreError: the catalog did not answer, or the index failed and the catalogue is large.
        """
        stages = Stages(query.deadline_ms, clock=self._parts.clock, span=self._parts.span)
        with stages.stage("cache"):
            content = ":".join(content_hash(image) for image in images)
            asked = content, query, self._parts.catalog.latest()
            kept = self._answers.answer(*asked, wait_s=_patience_s(stages))
        if kept is not None:
            return replace(kept, timings_ms=stages.timings_ms)
        try:
            found = self._found(images, query, stages)
            self._answers.put_answer(content, query, found)
        finally:
            self._answers.release(*asked)
        return found

    def _found(self, images: Sequence[bytes], query: Query, stages: Stages) -> Recognition:
        frames = [self.frame(image, query, stages) for image in images]
        founds = [self._search(frame.photo.vector, query, stages) for frame in frames]
        seen = self._seen(frames, founds, query, stages)
        with stages.stage("decision", checked=False):
            limit = query.max_false_accept or self._options.max_false_accept
            answer = conclude(seen, frames, self._parts.calibration, query, limit)
        spec = self._parts.encoder.spec
        return replace(answer, engine=spec.label, passport=spec.passport_id, timings_ms=stages.timings_ms)

    def observe(self, image: bytes) -> list[tuple[str, list[Sighting]]]:
        """Return every look at a photo. See Recognizer.observe."""
        query, stages = Query(verify="always"), Stages(clock=self._parts.clock, span=self._parts.span)
        frame = self.frame(image, query, stages)
        found = self._search(frame.photo.vector, query, stages)
        return list(self._cascade(frame.photo, found, stages))

    def frame(self, image: bytes, query: Query, stages: Stages) -> Frame:
        """Decode and embed a photo, unless its vector is known and enough.

        Raises:
            InvalidImage, EngineError, Overloaded, DeadlineExceeded: see above.
        """
        spec, close = self._parts.encoder.spec, self._geometry is not None and query.verify != "never"
        content = content_hash(image)
        vector = self._answers.vector(content, spec.dim)
        if vector is not None and not close:
            return Frame(Photo(vector, None), 1.0)
        with stages.stage("decode"):
            picture = self._parts.decoder(image, spec.side, fit=spec.fit, preview_side=PREVIEW_SIDE if close else 0)
        if vector is None:
            with stages.stage("encode"), within(stages.remaining_s):
                vector = self._parts.encoder.encode(picture.pixels[None])
            self._answers.put_vector(content, vector)
        preview = picture.preview
        return Frame(Photo(vector, preview), 1.0 if preview is None else picture.width / preview.shape[1])

    def _seen(self, frames: Sequence[Frame], founds: Sequence[Found], query: Query, stages: Stages) -> Seen:
        """Look at one photo after the other, until geometry confirms a match or time is short.

        What fails meanwhile, be it the verifier, the local index or the catalog, leaves an answer by the vectors alone.
        """
        known = Sightings()
        seen = Seen(founds, [], skipped=())
        for place, (frame, found) in enumerate(zip(frames, founds, strict=True)):
            looks = self._cascade(frame.photo, found, stages, frame=place)
            try:
                for step, sightings in self._timely(looks, query, stages):
                    together = known.joined(sightings)
                    seen = Seen(founds, together, skipped=STEPS[STEPS.index(step) + 1 :])
                    if step != STEPS[0] and query.verify == "auto" and self._is_match(together, query):
                        return seen
            except ArthurError as error:
                log.error("verification_failed", error=str(error))  # noqa: TRY400  # one line says it
                return self._by_scores(founds)
            known = Sightings(seen.sightings)
        return seen

    def _timely(
        self, looks: Iterator[tuple[str, list[Sighting]]], query: Query, stages: Stages
    ) -> Iterator[tuple[str, list[Sighting]]]:
        """Pass looks on as long as the next one is wanted and can be expected to end before the deadline."""
        following = dict(pairwise(STEPS))
        begun_ms = stages.elapsed_ms
        for step, sightings in looks:
            self._pace.note(step, stages.elapsed_ms - begun_ms)
            yield step, sightings
            begun_ms = stages.elapsed_ms
            if query.verify == "never" or not self._pace.fits(following.get(step, step), stages):
                return

    def _is_match(self, sightings: Sequence[Sighting], query: Query) -> bool:
        limit = query.max_false_accept or self._options.max_false_accept
        return judge(sightings, self._parts.calibration, limit).kind == "match"

    def _by_scores(self, founds: Sequence[Found]) -> Seen:
        sightings = Sightings()
        for found in founds:
            sightings.join(by_score(one) for one in found.entries)
        return Seen(founds, sightings.strongest(), skipped=STEPS[1:], failed=True)


def _patience_s(stages: Stages) -> float:
    """Return how long to wait for another's answer, so that enough is left for one's own."""
    left = stages.remaining_s
    return _PATIENCE_S if left is None else min(_PATIENCE_S, max(left, 0) / 4)
