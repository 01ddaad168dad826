"""What the match log keeps of an answered recognition."""

from __future__ import annotations

from dataclasses import dataclass

from arthur.types.names import DecisionKind

__all__ = ["LoggedMatch"]


@dataclass(frozen=True, slots=True)
class LoggedMatch:
    """One answer, without its picture and without who asked.

    Attributes:
        at_us: when it was given, microseconds since 1970 UTC.
        photo: BLAKE3 of the photo, hex. What is read back is hashed again with a secret of its day.
        artist_id, entry_id: of the best entry; None for `no_match`.
        probability: of the best entry, also where that was not enough.
        milliseconds: from the whole body to the answer.
        engine: label of the engine that made the vectors.
    """

    at_us: int
    photo: str
    decision: DecisionKind
    artist_id: str | None
    entry_id: str | None
    probability: float
    milliseconds: float
    engine: str
