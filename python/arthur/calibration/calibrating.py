"""From trials to a calibration that keeps its promise, and how good it is on trials it has not seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from arthur.calibration.fitting import Flags, Floats, fit
from arthur.calibration.trials import Look, Trial
from arthur.decision import (
    GEOMETRY_INPUTS,
    SCORE_INPUTS,
    Calibration,
    Logistic,
    Signs,
    decide,
    geometry_inputs,
    score_inputs,
)
from arthur.errors import BadRequest
from arthur.types import JsonValue

FEWEST = 40
"""Trials below which nothing is fitted."""
ROUNDS = 3
"""A fit changes which entry is the best one, so it is repeated."""
FOLDS = 2
PROMISE = 0.001
"""Share of photos without an enrolled work that may be called a match at that limit."""
BINS = 10


@dataclass(frozen=True, slots=True)
class Judged:
    """The best entry of one look, with its rival, and whether it is right."""

    best: Signs
    rival: Signs | None
    right: bool


@dataclass(frozen=True, slots=True)
class Reliability:
    """Predicted against observed, on trials that were not fitted.

    Attributes:
        predicted, observed: mean probability and share of right answers, by bin.
        counts: trials in each bin; bins without any are left out.
        error: expected calibration error: the gaps weighted by the counts.
        false_accepts: share of photos without an enrolled work that were called a match.
        matched: share of photos of enrolled works that were called a match and rightly so.
        first: share of photos of enrolled works whose best entry is the right one.
        unknown, known: photos of either kind.
    """

    predicted: tuple[float, ...]
    observed: tuple[float, ...]
    counts: tuple[int, ...]
    error: float
    false_accepts: float
    matched: float
    first: float
    unknown: int
    known: int

    def members(self) -> dict[str, JsonValue]:
        """Return the numbers without the curve, rounded."""
        shares = ("error", "false_accepts", "matched", "first")
        return {
            **{name: round(getattr(self, name), 4) for name in shares},
            "known": self.known,
            "unknown": self.unknown,
        }


def calibrate(trials: Sequence[Trial], prior: Calibration) -> tuple[Calibration, Reliability]:
    """Return the calibration fitted to all trials, and how reliable the same procedure is on those it did not see.

    Raises:
        BadRequest: there are too few trials.
    """
    if len(trials) < FEWEST:
        raise BadRequest(f"{len(trials)} trials are too few to calibrate; at least {FEWEST} are needed")
    folds = [np.arange(len(trials)) // 2 % FOLDS == fold for fold in range(FOLDS)]
    unseen: list[tuple[Trial, float, Judged]] = []
    for held_out in folds:
        fitted = _fitted([trial for trial, out in zip(trials, held_out, strict=True) if not out], prior)
        for trial, out in zip(trials, held_out, strict=True):
            if out:
                unseen.append((trial, *_final(trial, fitted)))
    return _fitted(trials, prior), _reliability(unseen)


def _fitted(trials: Sequence[Trial], prior: Calibration) -> Calibration:
    by_score = [look for trial in trials for look in trial.looks if look.step == "scores"]
    by_geometry = [look for trial in trials for look in trial.looks if look.step != "scores"]
    calibration = prior
    for _ in range(ROUNDS):
        scored = [_judged(look, calibration) for look in by_score]
        wrong = [judged.best.score for judged in scored if not judged.right]
        lone_rival = float(np.median(wrong)) if wrong else prior.lone_rival
        inputs = partial(_score_inputs, lone_rival=lone_rival)
        by_score_fit = _safe(scored, SCORE_INPUTS, inputs, prior.by_score)
        calibration = replace(calibration, by_score=by_score_fit, lone_rival=lone_rival)
        if by_geometry:
            verified = [_judged(look, calibration) for look in by_geometry]
            by_geometry_fit = _safe(verified, GEOMETRY_INPUTS, _geometry_inputs, prior.by_geometry)
            calibration = replace(calibration, by_geometry=by_geometry_fit)
    return calibration


def _score_inputs(judged: Judged, *, lone_rival: float) -> dict[str, float]:
    return score_inputs(judged.best, judged.rival, lone_rival)


def _geometry_inputs(judged: Judged) -> dict[str, float]:
    return geometry_inputs(judged.best, judged.rival)


def _judged(look: Look, calibration: Calibration) -> Judged:
    if not look.entries:
        return Judged(Signs(-1.0), None, right=False)
    order = decide(look.entries, calibration, max_false_accept=PROMISE).order
    rival = look.entries[order[1]] if len(order) > 1 else None
    return Judged(look.entries[order[0]], rival, right=look.right == order[0])


def _safe(
    judged: Sequence[Judged], names: tuple[str, ...], inputs: Callable[[Judged], dict[str, float]], prior: Logistic
) -> Logistic:
    """Fit, and take from the intercept until no more wrong answers than promised would count as certain."""
    table = np.array([[inputs(one)[name] for name in names] for one in judged], np.float64)
    right: Flags = np.array([one.right for one in judged])
    fitted = fit(names, table, right, prior=prior)
    odds: Floats = table @ np.array([fitted.weights[name] for name in names]) + fitted.intercept
    worst = np.sort(odds[~right])[::-1]
    allowed = int(PROMISE * len(worst))
    excess = float(worst[allowed]) - _certain() if len(worst) > allowed else 0.0
    return replace(fitted, intercept=fitted.intercept - max(0.0, excess + 1e-6 if excess > 0 else 0.0))


def _certain() -> float:
    return float(np.log((1 - PROMISE) / PROMISE))


def _final(trial: Trial, calibration: Calibration) -> tuple[float, Judged]:
    """Return what the answer would be: the first look that makes a match counts, else the last one."""
    judged, probability = Judged(Signs(-1.0), None, right=False), 0.0
    for look in trial.looks:
        judged = _judged(look, calibration)
        probability = calibration.probability(judged.best, judged.rival) if look.entries else 0.0
        if look.step != "scores" and 1 - probability <= PROMISE:
            break
    return probability, judged


def _reliability(unseen: Iterable[tuple[Trial, float, Judged]]) -> Reliability:
    rows = list(unseen)
    probability = np.array([row[1] for row in rows])
    right = np.array([row[2].right for row in rows])
    known = np.array([row[0].known for row in rows])
    matched = 1 - probability <= PROMISE
    bins = np.minimum((probability * BINS).astype(int), BINS - 1)
    used = [bins == place for place in range(BINS) if (bins == place).any()]
    predicted = tuple(float(probability[part].mean()) for part in used)
    observed = tuple(float(right[part].mean()) for part in used)
    counts = tuple(int(part.sum()) for part in used)
    gaps = [abs(p - o) * n for p, o, n in zip(predicted, observed, counts, strict=True)]
    return Reliability(
        predicted=predicted,
        observed=observed,
        counts=counts,
        error=sum(gaps) / len(rows),
        false_accepts=_share(matched[~known]),
        matched=_share((matched & right)[known]),
        first=_share(right[known]),
        unknown=int((~known).sum()),
        known=int(known.sum()),
    )


def _share(flags: Flags) -> float:
    return float(flags.mean()) if len(flags) else 0.0
