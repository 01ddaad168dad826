"""How the bodies of answers are read. Every reader raises BadAnswer for what is not Arthur's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import orjson

from arthur.client.answers import Match, Recognition, Status
from arthur.client.errors import BadAnswer
from arthur.client.reading import read

Value = TypeVar("Value")
Read = Callable[[bytes], Value]
Scale = tuple[float, float]
"""How many pixels of a photo as given one pixel of it as sent stands for: across and down, upright."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Value]):
    """A part of a list, and where the next one begins; None after the last."""

    rows: tuple[Value, ...]
    next_cursor: str | None


def value_of(kind: type[Value]) -> Read[Value]:
    """Return what reads a body that is one value."""
    return lambda body: read(kind, _members(body))


def page_of(name: str, kind: type[Value]) -> Read[Page[Value]]:
    """Return what reads a body that is a page of rows, which are its member `name`."""

    def page(body: bytes) -> Page[Value]:
        members = _members(body)
        rows, cursor = members.get(name), members.get("next_cursor")
        if not isinstance(rows, list) or not isinstance(cursor, str | None):
            raise BadAnswer(f"the answer is no page of {name}")
        return Page(tuple(read(kind, row) for row in rows), cursor)

    return page


def recognition_of(body: bytes, scales: tuple[Scale, ...]) -> Recognition:
    """Read an answer, and lay its quads onto the photos as they were given."""
    answer = read(Recognition, _members(body))
    if all(scale == (1.0, 1.0) for scale in scales):
        return answer
    return replace(answer, matches=tuple(_scaled(one, scales) for one in answer.matches))


def _scaled(one: Match, scales: tuple[Scale, ...]) -> Match:
    if one.quad is None or not 0 <= one.frame < len(scales):
        return one
    across, down = scales[one.frame]
    return replace(one, quad=tuple((x * across, y * down) for x, y in one.quad))


def count_of(body: bytes) -> int:
    """Read how many views were removed."""
    count = _members(body).get("removed")
    if not isinstance(count, int):
        raise BadAnswer("the answer does not say how many views were removed")
    return count


def status_of(body: bytes) -> Status:
    """Read a status, and keep all its members as `parts`."""
    members = _members(body)
    return read(Status, {**members, "parts": members})


def _members(body: bytes) -> dict[str, object]:
    try:
        members = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadAnswer(f"the answer is not JSON: {body[:80]!r}") from error
    if not isinstance(members, dict):
        raise BadAnswer("the answer is not a JSON object")
    return members
