"""The figures, as functions of plain arrays with one element per query.

Arguments that come again and again:
    rank: int, place of the first right answer, 1 is first; 0 where none was among the answers.
    score: float, how sure the system is of its first answer; thresholds are put on it.
    right: bool, whether the first answer is right. Never so for an open-set query.
    known: bool, whether the query shows an enrolled work; otherwise it is an open-set query.
Queries of equal score stand or fall together, so no order among them flatters a system.
A figure that the queries cannot give (no open-set query, say) is NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]
Counts: TypeAlias = NDArray[np.int64]

_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with the ends of its confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Counted:
    """How often something happened, and how often it could have."""

    events: int
    trials: int

    @property
    def rate(self) -> float:
        """The observed rate."""
        return self.events / self.trials if self.trials else _NAN

    def at_most(self, *, level: float = 0.95) -> float:
        """Return the upper confidence bound of the rate (Clopper-Pearson, one-sided).

        It is what can be promised: three hundred queries without a false accept show less than 1 %, not 0 %.
        """
        if self.events == self.trials:
            return 1.0 if self.trials else _NAN
        low, high = self.rate, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            likely = _binomial_cdf(self.events, self.trials, middle) > 1 - level
            low, high = (middle, high) if likely else (low, middle)
        return high


@dataclass(frozen=True, slots=True)
class Reliability:
    """How often answers of about one probability are right.

    Attributes:
        predicted: mean probability of each bin, (bins,).
        observed: share of right answers in each bin, (bins,).
        count: queries in each bin, (bins,); empty bins are left out.
    """

    predicted: Floats
    observed: Floats
    count: Counts

    @property
    def error(self) -> float:
        """Expected calibration error: the mean distance of predicted and observed, weighted by the queries."""
        if not len(self.count):
            return _NAN
        return float((np.abs(self.predicted - self.observed) * self.count).sum() / self.count.sum())


@dataclass(frozen=True, slots=True)
class Operating:
    """Precision and recall at each threshold that a system's scores allow, highest threshold first.

    Attributes:
        threshold: the lowest score that is accepted, (n,).
        precision: share of accepted answers that are right, (n,).
        recall: share of known queries that are accepted and right, (n,).
    """

    threshold: Floats
    precision: Floats
    recall: Floats


def share(of: Flags, among: Flags) -> float:
    """Return the share of the queries `among` that are `of`."""
    return float(of[among].mean()) if among.any() else _NAN


def recall_at(rank: Counts, known: Flags, k: int) -> float:
    """Return the share of known queries with a right answer among the first `k`."""
    return share((rank > 0) & (rank <= k), known)


def operating_points(score: Floats, right: Flags, known: Flags) -> Operating:
    """Return precision and recall at each distinct score."""
    order = np.argsort(-score, kind="stable")
    ranked, hits = score[order], np.cumsum(right[order] & known[order])
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True)) if len(ranked) else np.empty(0, np.int64)
    total = max(1, int(known.sum()))
    return Operating(ranked[last], hits[last] / (last + 1), hits[last] / total)


def micro_average_precision(score: Floats, right: Flags, known: Flags) -> float:
    """Return uAP: one ranking of all queries by score, its precision averaged over the known queries.

    It is the area under precision over recall, and wants scores that can be compared between queries.
    """
    if not known.any():
        return _NAN
    points = operating_points(score, right, known)
    return float((np.diff(points.recall, prepend=0.0) * points.precision).sum())


def recall_at_precision(score: Floats, right: Flags, known: Flags, precision: float) -> float:
    """Return the largest recall at a threshold whose precision is at least `precision`; 0 where there is none."""
    if not known.any():
        return _NAN
    points = operating_points(score, right, known)
    return float(points.recall[points.precision >= precision].max(initial=0.0))


def false_positive_rate(score: Floats, right: Flags, known: Flags, recall: float) -> float:
    """Return the share of open-set queries accepted at the threshold that keeps `recall` of the right answers."""
    kept = np.sort(score[right & known])[::-1]
    if not len(kept):
        return _NAN
    threshold = kept[int(np.ceil(recall * len(kept))) - 1]
    return share(score >= threshold, ~known)


def false_accepts(accepted: Flags, known: Flags) -> Counted:
    """Count the open-set queries that the system itself declares a match."""
    return Counted(int((accepted & ~known).sum()), int((~known).sum()))


def wrong_accepts(accepted: Flags, right: Flags) -> Counted:
    """Count the declared matches that name a wrong work: what `max_false_accept` promises to bound."""
    return Counted(int((accepted & ~right).sum()), int(accepted.sum()))


def accepted_recall(accepted: Flags, right: Flags, known: Flags) -> float:
    """Return the share of known queries that are declared a match, and rightly."""
    return share(accepted & right, known)


def reliability(probability: Floats, right: Flags, *, bins: int = 10) -> Reliability:
    """Compare probabilities, 0..1, with how often the first answer was right, in bins of equal width."""
    place = np.minimum((probability * bins).astype(np.int64), bins - 1)
    count = np.bincount(place, minlength=bins)
    filled = count > 0
    weight = count[filled]
    predicted = np.bincount(place, probability, bins)[filled] / weight
    observed = np.bincount(place, right.astype(np.float64), bins)[filled] / weight
    return Reliability(predicted, observed, weight)


def bootstrap(
    figure: Callable[[Counts], float],
    clusters: Counts | Sequence[str],
    *,
    resamples: int = 500,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Return a figure with its percentile interval over resampled clusters of queries.

    Args:
        figure: computes it from the positions of the queries to use, which may repeat.
        clusters: of each query; queries that show the same are drawn together, for they are not independent.
        resamples: how often to draw; resamples that give NaN are left out.
        level: share of the resamples inside the interval.
        seed: the same seed gives the same interval.
    """
    _, cluster = np.unique(np.asarray(clusters), return_inverse=True)
    order = np.argsort(cluster, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(cluster[order])) + 1)
    random = np.random.default_rng(seed)
    drawn = (random.integers(len(members), size=len(members)) for _ in range(resamples))
    values = np.array([figure(np.concatenate([members[one] for one in draw])) for draw in drawn])
    values = values[~np.isnan(values)]
    value = figure(np.arange(len(cluster)))
    if not len(values):
        return Interval(value, _NAN, _NAN)
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high))


def _binomial_cdf(events: int, trials: int, rate: float) -> float:
    """Return the probability of at most `events` in `trials`, computed in logarithms."""
    if rate <= 0:
        return 1.0
    counts = np.arange(events + 1)
    steps = np.log((trials - counts[:-1]) / (counts[:-1] + 1)) if events else np.empty(0)
    choose = np.concatenate([[0.0], np.cumsum(steps)])
    return float(np.exp(choose + counts * np.log(rate) + (trials - counts) * np.log1p(-rate)).sum())
