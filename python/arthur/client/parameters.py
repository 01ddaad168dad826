"""What can be asked, and how often it is asked again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypedDict

from arthur.client.pictures import Picture

Name: TypeAlias = tuple[str, str, str]
"""A view's name: artist, entry, view; each kept as given."""

FileForm: TypeAlias = Literal["csv", "parquet"]
AnalyticsTable: TypeAlias = Literal["days", "works"]


class Narrowing(TypedDict, total=False):
    """Which entries are wanted.

    Attributes:
        k: how many, 1..100; the server's default is 10.
        artist_ids: only of this artist, or of these.
        min_score: none with a lower score.
    """

    k: int
    artist_ids: str | Sequence[str]
    min_score: float


class MatchParameters(Narrowing, total=False):
    """How to recognize.

    Attributes:
        max_false_accept: highest accepted probability that a `match` is wrong.
        verify: whether geometry may, must or must not be consulted.
        overlay: draw what was found on the photo.
        deadline_s: time for the whole call with all its tries; the server is told what is left of it.
        resize: make photos smaller whose longer side has more pixels; 0 sends them as they are.

    The last two are the client's where they are not given.
    """

    max_false_accept: float
    verify: Literal["auto", "always", "never"]
    overlay: bool
    deadline_s: float
    resize: int


@dataclass(frozen=True, slots=True)
class Ingredient:
    """One part of a question: a text or a picture, and how much it counts; below 0 for what is not wanted."""

    text: str | None = None
    picture: Picture | None = None
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Retry:
    """When a call is tried again.

    That is where it is safe: nothing was sent, the server refused for want of room, or doing it twice is the same as
    doing it once. After the n-th failure passes a random part of `first_wait_s * 2**(n - 1)`, at most of
    `longest_wait_s`, on top of what the server asks for by Retry-After. A wait that would outlast the deadline is not
    begun: the error is raised at once.

    Attributes:
        tries: in all; 1 never tries again.
    """

    tries: int = 6
    first_wait_s: float = 0.25
    longest_wait_s: float = 8.0

    def ceiling_s(self, failures: int) -> float:
        """Return the longest wait after so many failures (1 is the first)."""
        return min(self.longest_wait_s, self.first_wait_s * 2.0 ** min(failures - 1, 60))
