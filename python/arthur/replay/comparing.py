"""Two answers to one request, and the gravest way in which they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import orjson

from arthur.replay.requests import Recorded

Difference: TypeAlias = Literal["unanswered", "status", "first", "ids", "order", "scores", "body", "same"]
"""Gravest first. `first`: another entry leads, or none does; `ids`: other views follow; `body`: of other requests."""
DIFFERENCES: tuple[Difference, ...] = get_args(Difference)

_PASSING = ("timestamp", "version")
_OK = 200


@dataclass(frozen=True, slots=True)
class Answered:
    """What a server said, `ms` after it was asked; status 0 and the reason as `error` when no answer came."""

    status: int
    body: bytes
    ms: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How two answers differ.

    Attributes:
        first_same: of recognitions that both servers answered: whether the same entry leads, or none on either side.
        overlap: of the same: views that both name, as a share of those that either does.
        score_gap: of the same: the largest difference between the two scores of one view; None without a common view.
    """

    difference: Difference
    first_same: bool | None = None
    overlap: float | None = None
    score_gap: float | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    view: tuple[str, str, str]
    score: float


def compare(request: Recorded, old: Answered, new: Answered, *, tolerance: float) -> Verdict:
    """Return how the answers differ; scores within `tolerance` of each other count as the same."""
    if not old.status or not new.status:
        return Verdict("unanswered")
    if old.status != new.status:
        return Verdict("status")
    if request.is_match and old.status == _OK:
        pair = _rows(old.body), _rows(new.body)
        if pair[0] is not None and pair[1] is not None:
            return _recognitions(pair[0], pair[1], tolerance)
    return Verdict("same" if _lasting(old.body) == _lasting(new.body) else "body")


def _recognitions(old: Sequence[_Row], new: Sequence[_Row], tolerance: float) -> Verdict:
    scores = {row.view: row.score for row in old}
    gaps = [abs(scores[row.view] - row.score) for row in new if row.view in scores]
    views = {row.view for row in old}, {row.view for row in new}
    either = len(views[0] | views[1])
    first_same = [row.view[:2] for row in old[:1]] == [row.view[:2] for row in new[:1]]
    gap = max(gaps, default=None)
    if not first_same:
        difference: Difference = "first"
    elif views[0] != views[1]:
        difference = "ids"
    elif [row.view for row in old] != [row.view for row in new]:
        difference = "order"
    else:
        difference = "scores" if gap is not None and gap > tolerance else "same"
    return Verdict(difference, first_same, len(views[0] & views[1]) / either if either else 1.0, gap)


def _rows(body: bytes) -> list[_Row] | None:
    """Return the rows of a recognition; None if it is not of the v1 form."""
    try:
        matches = orjson.loads(body)["matches"]
        return [
            _Row((str(one["artistId"]), str(one["entryId"]), str(one["viewId"])), float(one["score"]))
            for one in matches
        ]
    except (ValueError, LookupError, TypeError):
        return None


def _lasting(body: bytes) -> object:
    """Return a body without what differs from one moment or release to the next."""
    try:
        members = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body
    if not isinstance(members, dict):
        return members
    return {name: value for name, value in members.items() if name not in _PASSING}
