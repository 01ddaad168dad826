"""From words and pictures to the entries that are like both."""

from __future__ import annotations

import numpy as np

from arthur.errors import BadRequest, Conflict
from arthur.recognition.matching import Matcher
from arthur.recognition.parts import Parts
from arthur.recognition.searcher import Searcher, check_query
from arthur.recognition.stages import Stages
from arthur.types import Hit, Ingredient, Query, Question, SearchAnswer, Vectors

_SHORTEST = 1e-6
"""Length below which a sum of unit vectors points nowhere."""


class Asker:
    """Answers questions. Callable from any thread."""

    def __init__(self, parts: Parts, match: Matcher, search: Searcher) -> None:
        self._parts = parts
        self._match = match
        self._search = search

    def __call__(self, question: Question) -> SearchAnswer:
        """Return the entries nearest to the question. See Recognizer.search."""
        query = Query(k=question.k, artist_ids=question.artist_ids, min_score=question.min_score, verify="never")
        check_query(query)
        stages = Stages(clock=self._parts.clock, span=self._parts.span)
        found = self._search(self._vector(question.ingredients, query, stages), query, stages)
        floor = -np.inf if question.min_score is None else question.min_score
        hits = (Hit(one.stored.view, one.score, one.stored.metadata) for one in found.entries[: question.k])
        return SearchAnswer(
            tuple(hit for hit in hits if hit.score >= floor),
            self._parts.encoder.spec.label,
            found.sequence,
            found.degraded,
            stages.timings_ms,
            self._parts.encoder.spec.passport_id,
        )

    def _vector(self, ingredients: tuple[Ingredient, ...], query: Query, stages: Stages) -> Vectors:
        """Add the ingredients' unit vectors by weight, and return the sum as a `(1, dim)` unit row."""
        if not ingredients:
            raise BadRequest("at least one text or picture is needed")
        if not all(np.isfinite(one.weight) for one in ingredients):
            raise BadRequest("a weight must be a finite number")
        parts = [np.float64(one.weight) * self._embedded(one, query, stages)[0] for one in ingredients]
        total = np.sum(parts, axis=0, keepdims=True)
        length = float(np.linalg.norm(total))
        if not length > _SHORTEST:
            raise BadRequest("the texts and pictures cancel each other out")
        unit: Vectors = (total / length).astype(np.float32)
        return unit

    def _embedded(self, one: Ingredient, query: Query, stages: Stages) -> Vectors:
        if (one.text is None) == (one.image is None):
            raise BadRequest("each part of a question is either a text or a picture")
        if one.image is not None:
            return self._match.frame(one.image, query, stages).photo.vector
        if self._parts.text is None:
            raise Conflict(f"the engine {self._parts.encoder.spec.name} cannot search by text")
        with stages.stage("text"):
            return self._parts.text.embed([one.text or ""])
