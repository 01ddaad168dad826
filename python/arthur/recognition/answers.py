"""What the cache keeps: the vector of a picture, and whole answers, under keys that can never become stale.

A vector's key names the picture's content and the engine. An answer's key names the catalogue, its sequence, the
content, the engine, the calibration and the question as well; so any write makes every earlier answer unreachable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import orjson
from blake3 import blake3

from arthur.cache import Cache
from arthur.decision import Calibration
from arthur.types import Match, Query, Recognition, Vectors, ViewId

VECTOR_TTL_S = 86_400.0
ANSWER_TTL_S = 600.0


def content_hash(data: bytes) -> str:
    """Return the hex BLAKE3 of a picture's bytes. The GIL is released for large ones."""
    return str(blake3(data).hexdigest())


class Answers:
    """Vectors and answers of one engine in a cache. Callable from any thread; never raises.

    Args:
        fingerprint: of the engine.
        verifier: fingerprint of the verifier; "" without one.
        identity: tells the catalogue's name; a restored one gets another, since its sequence begins anew.
    """

    def __init__(
        self,
        cache: Cache,
        *,
        fingerprint: str,
        verifier: str,
        identity: Callable[[], str],
        calibration: Calibration,
    ) -> None:
        self._cache = cache
        self._engine = fingerprint.encode()
        self._identity = identity
        self._salt = blake3(orjson.dumps([fingerprint, verifier, calibration])).digest()

    def vector(self, content: str, dim: int) -> Vectors | None:
        """Return the `(1, dim)` float32 vector of a picture with that content hash."""
        kept = self._cache.fetch(self._vector_key(content))
        if kept is None or len(kept) != dim * 4:
            return None
        return np.frombuffer(kept, dtype=np.float32).reshape(1, dim)

    def put_vector(self, content: str, vector: Vectors) -> None:
        """Keep a `(1, dim)` float32 vector."""
        self._cache.put(self._vector_key(content), vector.tobytes(), VECTOR_TTL_S)

    def answer(self, content: str, query: Query, sequence: int, *, wait_s: float) -> Recognition | None:
        """Return the answer to that question at that sequence, without timings.

        Of several that ask the same at once, all but one wait up to `wait_s` for that one's answer. Whoever gets None
        calls `release` when it is done.
        """
        kept = self._cache.reserve(self._answer_key(content, query, sequence), wait_s)
        return None if kept is None else _parsed(kept)

    def release(self, content: str, query: Query, sequence: int) -> None:
        """Let go of those who wait for an answer, be it there or not."""
        self._cache.release(self._answer_key(content, query, sequence))

    def put_answer(self, content: str, query: Query, answer: Recognition) -> None:
        """Keep an answer under the sequence that it has seen; one made in part is not kept."""
        if not answer.degraded:
            key = self._answer_key(content, query, answer.catalog_seq)
            self._cache.put(key, orjson.dumps(replace(answer, timings_ms={})), ANSWER_TTL_S)

    def _vector_key(self, content: str) -> bytes:
        return b"vector:" + self._engine + b":" + content.encode()

    def _answer_key(self, content: str, query: Query, sequence: int) -> bytes:
        asked = replace(query, deadline_ms=None, artist_ids=tuple(sorted(set(query.artist_ids))))
        return b"answer:" + blake3(self._salt + orjson.dumps([self._identity(), content, sequence, asked])).digest()


def _parsed(kept: bytes) -> Recognition | None:
    """Return the answer, or None when the bytes are of another version or damaged."""
    try:
        fields = orjson.loads(kept)
        fields["matches"] = tuple(map(_parsed_match, fields["matches"]))
        fields["reasons"], fields["skipped"] = tuple(fields["reasons"]), tuple(fields["skipped"])
        return Recognition(**fields)
    except (ValueError, TypeError, KeyError):
        return None


def _parsed_match(fields: dict[str, Any]) -> Match:
    corners = fields["quad"]
    quad = None if corners is None else tuple((x, y) for x, y in corners)
    return Match(**{**fields, "view": ViewId(**fields["view"]), "quad": quad})
