"""From trials to a calibration that keeps its promise, and how good it is on trials it has not seen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from arthur.calibration.fitting import Flags, Floats, Prior, fit
from arthur.calibration.trials import Look, Trial
from arthur.decision import (
    GEOMETRY_INPUTS,
    SCORE_INPUTS,
    Calibration,
    Logistic,
    Signs,
    geometry_inputs,
    ranked,
    score_inputs,
)
from arthur.errors import BadRequest
from arthur.recognition.cascade import CHECKS
from arthur.types import JsonValue

FEWEST = 40
"""Trials below which nothing is fitted."""
FOLDS = 2
PROMISE = 0.001
"""Share of photos without an enrolled work that may be called a match at that limit."""
SPENT = 0.75
"""Part of the promise up to which positive log-odds are made to count more: the rest is for photos yet unseen."""
BINS = 10
_TRIFLE, _SURE = 1e-6, 1 - 1e-12


@dataclass(frozen=True, slots=True)
class Judged:
    """The best entry of one look, the others, whether it is right, and as how many it counts."""

    best: Signs
    rivals: tuple[Signs, ...]
    right: bool
    count: float = 1.0


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
    counts: tuple[float, ...]
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


def calibrate(
    trials: Sequence[Trial], prior: Calibration, *, held: Collection[str] = ()
) -> tuple[Calibration, Reliability]:
    """Return the calibration fitted to all trials, and how reliable the same procedure is on those it did not see.

    Args:
        trials: photos of known outcome.
        prior: what counts where they say little; the fit is no keener than it.
        held: inputs of which they tell nothing: their weights are the prior's.

    Raises:
        BadRequest: there are too few trials.
    """
    if len(trials) < FEWEST:
        raise BadRequest(f"{len(trials)} trials are too few to calibrate; at least {FEWEST} are needed")
    folds = [np.arange(len(trials)) // 2 % FOLDS == fold for fold in range(FOLDS)]
    unseen: list[tuple[Trial, float, Judged]] = []
    for held_out in folds:
        fitted = _fitted([trial for trial, out in zip(trials, held_out, strict=True) if not out], prior, held)
        for trial, out in zip(trials, held_out, strict=True):
            if out:
                unseen.append((trial, *_final(trial, fitted)))
    return _fitted(trials, prior, held), _reliability(unseen)


def _fitted(trials: Sequence[Trial], prior: Calibration, held: Collection[str]) -> Calibration:
    scored = [_judged(look, trial) for trial in trials for look in trial.looks if look.step == "scores"]
    # other looks lack a sign, and would teach that it says little
    verified = [_judged(look, trial) for trial in trials for look in trial.looks if look.step in CHECKS]
    wrong = [one.best.score for one in scored if not one.right]
    lone_rival = float(np.median(wrong)) if wrong else prior.lone_rival
    scores = [score_inputs(one.best, max((rival.score for rival in one.rivals), default=lone_rival)) for one in scored]
    before = Prior(prior.by_score.weights, held)
    fitted = replace(prior, lone_rival=lone_rival, keenness=1.0, by_score=_fit(scored, scores, SCORE_INPUTS, before))
    fitted = replace(fitted, by_score=_safe(fitted.by_score, scored, fitted))
    if verified:
        planes = [geometry_inputs(one.best) for one in verified]
        before = Prior(prior.by_geometry.weights, held)
        fitted = replace(fitted, by_geometry=_fit(verified, planes, GEOMETRY_INPUTS, before))
        fitted = replace(fitted, by_geometry=_safe(fitted.by_geometry, verified, fitted))
        fitted = replace(fitted, keenness=_keenness(verified, fitted, most=prior.keenness))
    return fitted


def _judged(look: Look, trial: Trial) -> Judged:
    if not look.entries:
        return Judged(Signs(-1.0), (), right=False, count=trial.count)
    first, *others = ranked(look.entries)
    rivals = tuple(look.entries[place] for place in others)
    return Judged(look.entries[first], rivals, right=look.right == first, count=trial.count)


def _fit(
    judged: Sequence[Judged], inputs: Sequence[dict[str, float]], names: tuple[str, ...], prior: Prior
) -> Logistic:
    table = np.array([[one[name] for name in names] for one in inputs], np.float64)
    right: Flags = np.array([one.right for one in judged])
    return fit(names, table, right, counts=np.array([one.count for one in judged]), prior=prior)


def _safe(logistic: Logistic, judged: Sequence[Judged], fitted: Calibration) -> Logistic:
    """Take from the intercept until no more wrong answers than promised count as certain."""
    wrong = sorted(((_excess(one, fitted), one.count) for one in judged if not one.right), reverse=True)
    allowed = PROMISE * sum(count for _, count in wrong)
    for excess, count in wrong:
        allowed -= count
        if allowed < 0:
            return replace(logistic, intercept=logistic.intercept - max(0.0, excess))
    return logistic


def _keenness(judged: Sequence[Judged], fitted: Calibration, *, most: float) -> float:
    """Return how many times positive log-odds may count until SPENT of the promise is, `most` at most.

    It is 1 where so few wrong answers were seen that the promise cannot be.
    """
    wrong = sorted(((_alone(one, fitted), one.count) for one in judged if not one.right), reverse=True)
    allowed = SPENT * PROMISE * sum(count for _, count in wrong)
    if allowed < SPENT:
        return 1.0
    certain = _odds(1 - PROMISE) - _TRIFLE
    for odds, count in wrong:
        allowed -= count
        if allowed < 0:
            return max(1.0, min(most, certain / max(odds, _TRIFLE)))
    return most


def _alone(judged: Judged, fitted: Calibration) -> float:
    """Return the log-odds of the best entry alone; none where its rivals keep it from being certain."""
    if fitted.share(judged.best, judged.rivals) <= 1 - PROMISE:
        return -np.inf
    return fitted.by_geometry.odds(geometry_inputs(judged.best))


def _excess(judged: Judged, fitted: Calibration) -> float:
    """Return by how much the log-odds are higher than they may be of a wrong answer."""
    share = 1.0 if judged.best.inliers is None else fitted.share(judged.best, judged.rivals)
    if share <= 1 - PROMISE:
        return 0.0
    alone = fitted.probability(judged.best, judged.rivals) / share
    return _odds(alone) - _odds((1 - PROMISE) / share) + _TRIFLE


def _odds(probability: float) -> float:
    return float(np.log(probability) - np.log1p(-min(probability, _SURE)))


def _final(trial: Trial, calibration: Calibration) -> tuple[float, Judged]:
    """Return what the answer would be: the first look that makes a match counts, else the last one."""
    judged, probability = Judged(Signs(-1.0), (), right=False, count=trial.count), 0.0
    for look in trial.looks:
        judged = _judged(look, trial)
        probability = calibration.probability(judged.best, judged.rivals) if look.entries else 0.0
        if look.step != "scores" and 1 - probability <= PROMISE:
            break
    return probability, judged


def _reliability(unseen: Iterable[tuple[Trial, float, Judged]]) -> Reliability:
    rows = list(unseen)
    probability = np.array([row[1] for row in rows])
    right = np.array([row[2].right for row in rows])
    known = np.array([row[0].known for row in rows])
    counts = np.array([row[0].count for row in rows])
    matched = 1 - probability <= PROMISE
    bins = np.minimum((probability * BINS).astype(int), BINS - 1)
    used = [bins == place for place in range(BINS) if (bins == place).any()]
    predicted = tuple(_share(probability[part], counts[part]) for part in used)
    observed = tuple(_share(right[part], counts[part]) for part in used)
    sizes = tuple(float(counts[part].sum()) for part in used)
    gaps = [abs(p - o) * n for p, o, n in zip(predicted, observed, sizes, strict=True)]
    return Reliability(
        predicted=predicted,
        observed=observed,
        counts=sizes,
        error=sum(gaps) / sum(sizes),
        false_accepts=_share(matched[~known], counts[~known]),
        matched=_share((matched & right)[known], counts[known]),
        first=_share(right[known], counts[known]),
        unknown=int((~known).sum()),
        known=int(known.sum()),
    )


def _share(values: Flags | Floats, counts: Floats) -> float:
    return float(np.average(values, weights=counts)) if len(values) else 0.0
