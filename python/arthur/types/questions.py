"""What is searched for by words and pictures together, and the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from arthur.types.names import Metadata, ViewId


@dataclass(frozen=True, slots=True)
class Ingredient:
    """One part of a question: either a sentence or a picture.

    Attributes:
        text: what is searched for, in words.
        image: the bytes of a picture file.
        weight: how much it counts beside the others; below 0 for what is not wanted.
    """

    text: str | None = None
    image: bytes | None = field(default=None, repr=False)
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Question:
    """What a caller asks of `Recognizer.search`.

    Attributes:
        ingredients: at least one; their unit vectors are added by weight.
        k: entries wanted, 1..100.
        artist_ids: search only these artists; empty searches all.
        min_score: drop entries whose score is lower; None keeps all.
    """

    ingredients: tuple[Ingredient, ...]
    k: int = 10
    artist_ids: tuple[str, ...] = ()
    min_score: float | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """One entry of the catalogue that is near a question, by its best view.

    Attributes:
        score: cosine similarity of question and view. That of words and a picture is far below that of two pictures.
    """

    view: ViewId
    score: float
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """Answer to a question.

    Attributes:
        hits: one for each entry, best first; may be empty.
        engine: label of the engine's fingerprint.
        catalog_seq: the catalogue's sequence that this answer has seen.
        degraded: the index failed, and the catalogue was scanned instead.
        timings_ms: milliseconds by stage.
        passport: id of the passport of the engine as it ran; "" where it has none.
    """

    hits: tuple[Hit, ...]
    engine: str
    catalog_seq: int
    degraded: bool
    timings_ms: Mapping[str, float]
    passport: str = ""
