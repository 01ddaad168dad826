"""Whatever answers photos: the one small interface behind which Arthur and its peers are compared."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from arthur.types import DecisionKind
from bench.accuracy.exam import Work

DEPTH = 10
"""Answers asked of each system for a photo."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a system says to one photo.

    Attributes:
        ranked: names of works and their scores, best first, at most DEPTH.
        score: how sure it is of the first, comparable between photos.
        decision: what it declares at its own threshold.
        probability: that the first is right, 0..1; None where the system gives none.
    """

    ranked: tuple[tuple[str, float], ...]
    score: float
    decision: DecisionKind
    probability: float | None = None


class System(Protocol):
    """A recogniser. Used from one thread."""

    def enroll(self, works: Sequence[Work]) -> int:
        """Learn works from their picture files; those that it has already are left as they are.

        Returns:
            How many it looked at: what others have learned for it, or an earlier run, does not count.
        """
        ...

    def settle(self) -> None:
        """Get ready to be asked; called whenever a part of the catalogue was enrolled."""
        ...

    def forget(self, names: Collection[str]) -> None:
        """Lose works; names that it does not have are passed over."""
        ...

    def query(self, photo: bytes) -> Answer:
        """Answer the photo in this file."""
        ...

    def stored_bytes(self) -> int:
        """Return how many bytes it keeps for the enrolled works, in memory or on disk."""
        ...

    def close(self) -> None:
        """Free everything. Closing twice is allowed."""
        ...
