"""From what was seen to the answer: decision, reasons, and one match for each entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from arthur.decision import Calibration, Decision, Signs, decide, kind_of
from arthur.recognition.cascade import STEPS, Photo
from arthur.recognition.coach import advice
from arthur.recognition.searcher import Found
from arthur.recognition.sighting import Corners, Sighting
from arthur.types import DecisionKind, Match, Query, Recognition

BELOW_MIN_SCORE = "no entry reaches min_score"
NO_GEOMETRY = "geometry was not consulted"
SEVERAL_WORKS = "several works in view"
UNKNOWN_ARTISTS = "none of the named artists is in the catalogue"

_ANY = 0.5
"""Limit of error where nobody asks for a decision."""
OVERLAP = 0.2
"""Two works hang side by side when they share less than this part of the smaller one's area."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One photo, decoded and embedded. `scale` leads from pixels of the preview to pixels of the photo."""

    photo: Photo
    scale: float


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen.

    Attributes:
        founds: what the vector index brought for each frame.
        sightings: strongest first.
        skipped: steps that were not taken.
        failed: closer looks failed, and this is by the vectors alone.
    """

    founds: Sequence[Found]
    sightings: list[Sighting]
    skipped: tuple[str, ...]
    failed: bool = False


def conclude(
    seen: Seen, frames: Sequence[Frame], calibration: Calibration, query: Query, max_false_accept: float
) -> Recognition:
    """Decide about what was seen; the caller adds the engine and the timings.

    Entries below `min_score` are not shown, but are still rivals by which the best one is judged.
    """
    decision = judge(seen.sightings, calibration, max_false_accept)
    ordered = [seen.sightings[place] for place in decision.order]
    kinds = [kind_of(probability, max_false_accept) for probability in decision.probabilities]
    judged = list(zip(ordered, decision.probabilities, kinds, strict=True))
    floor = -np.inf if query.min_score is None else query.min_score
    matches = tuple(
        _match(one, probability, kind, frames)
        for one, probability, kind in judged[: query.k]
        if one.signs.score >= floor
    )
    if ordered and not matches:
        decision = replace(decision, kind="no_match", probability=0.0, reasons=(BELOW_MIN_SCORE,))
    return Recognition(
        decision=decision.kind,
        probability=decision.probability,
        reasons=_reasons(decision, seen, frames, query, several=kinds.count("match") > 1),
        matches=matches,
        engine="",
        catalog_seq=min(found.sequence for found in seen.founds),
        degraded=seen.failed or any(found.degraded for found in seen.founds),
        skipped=seen.skipped,
        timings_ms={},
    )


def similar_matches(found: Found, calibration: Calibration, query: Query) -> tuple[Match, ...]:
    """Return the entries nearest to a stored view, best first."""
    decision = decide([Signs(one.score) for one in found.entries], calibration, max_false_accept=_ANY)
    floor = -np.inf if query.min_score is None else query.min_score
    shown = zip(found.entries[: query.k], decision.probabilities, strict=False)
    return tuple(
        Match(one.stored.view, one.score, probability, one.stored.metadata)
        for one, probability in shown
        if one.score >= floor
    )


def judge(sightings: Sequence[Sighting], calibration: Calibration, max_false_accept: float) -> Decision:
    """Decide about sightings: works that hang side by side are no rivals, and more than one may match."""
    return decide(
        [one.signs for one in sightings],
        calibration,
        max_false_accept=max_false_accept,
        apart=lambda one, other: _side_by_side(sightings[one], sightings[other]),
    )


def _side_by_side(one: Sighting, other: Sighting) -> bool:
    if one.corners is None or other.corners is None or one.frame != other.frame:
        return False
    shared = cv2.intersectConvexConvex(one.corners, other.corners)[0]
    return shared <= OVERLAP * min(_area(one.corners), _area(other.corners))


def _area(corners: Corners) -> float:
    return float(cv2.contourArea(corners))


def _reasons(
    decision: Decision, seen: Seen, frames: Sequence[Frame], query: Query, *, several: bool
) -> tuple[str, ...]:
    """Return what a client can show, most important first."""
    if not all(found.known for found in seen.founds):
        return (UNKNOWN_ARTISTS,)
    reasons = [SEVERAL_WORKS] if several else []
    reasons.extend(decision.reasons)
    if decision.kind != "match":
        best = seen.sightings[decision.order[0]] if decision.order else None
        reasons.extend(advice(frames[best.frame if best is not None else 0].photo.preview, best))
    if query.verify == "always" and seen.skipped == STEPS[1:]:
        reasons.append(NO_GEOMETRY)
    return tuple(reasons)


def _match(one: Sighting, probability: float, kind: DecisionKind, frames: Sequence[Frame]) -> Match:
    signs = one.signs
    quad = None
    if one.corners is not None:
        corners = one.corners.astype(np.float64) * frames[one.frame].scale
        quad = tuple((round(float(x), 1), round(float(y), 1)) for x, y in corners)
    return Match(
        view=one.stored.view,
        score=signs.score,
        probability=probability,
        metadata=one.stored.metadata,
        decision=kind,
        inliers=signs.inliers,
        coverage=None if signs.inliers is None else round(signs.coverage, 4),
        quad=quad,
        frame=one.frame,
    )
