"""From raw rows to figures: what one system did on one set at one catalogue size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from bench.accuracy import metrics
from bench.accuracy.metrics import Counted, Counts, Flags, Floats, Interval, Operating, Reliability

ENOUGH_RECALL, ENOUGH_PRECISION = 0.95, 0.99
"""Recall at which false positives are counted; precision at which recall is taken."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What a system answered, one element per photo; `metrics` says what the figures mean.

    Attributes:
        rank, score, known: as in `metrics`.
        accepted: whether the system declared a match.
        dismissed: whether it declared that there is no match.
        probability: what it stated, NaN where it stated nothing.
        cluster: number of the cluster of photos that show the same.
    """

    rank: Counts
    score: Floats
    known: Flags
    accepted: Flags
    dismissed: Flags
    probability: Floats
    cluster: Counts

    @classmethod
    def of(cls, rows: pl.DataFrame) -> Outcomes:
        """Take them from the rows of one system."""
        return cls(
            rank=rows["rank"].to_numpy().astype(np.int64),
            score=rows["score"].to_numpy().astype(np.float64),
            known=rows["known"].to_numpy().astype(np.bool_),
            accepted=(rows["decision"] == "match").to_numpy().astype(np.bool_),
            dismissed=(rows["decision"] == "no_match").to_numpy().astype(np.bool_),
            probability=rows["probability"].cast(pl.Float64).fill_null(float("nan")).to_numpy(),
            cluster=np.unique(rows["cluster"].to_list(), return_inverse=True)[1].astype(np.int64),
        )

    def part(self, chosen: Counts | Flags) -> Outcomes:
        """Return the outcomes of some photos, which may repeat."""
        return Outcomes(
            self.rank[chosen],
            self.score[chosen],
            self.known[chosen],
            self.accepted[chosen],
            self.dismissed[chosen],
            self.probability[chosen],
            self.cluster[chosen],
        )

    @property
    def right(self) -> Flags:
        """Whether the first answer is right."""
        return np.equal(self.rank, 1)

    def recall_at(self, k: int) -> float:
        """See metrics.recall_at."""
        return metrics.recall_at(self.rank, self.known, k)

    def average_precision(self) -> float:
        """See metrics.micro_average_precision."""
        return metrics.micro_average_precision(self.score, self.right, self.known)

    def sure_recall(self) -> float:
        """See metrics.recall_at_precision."""
        return metrics.recall_at_precision(self.score, self.right, self.known, ENOUGH_PRECISION)

    def false_positives(self) -> float:
        """See metrics.false_positive_rate."""
        return metrics.false_positive_rate(self.score, self.right, self.known, ENOUGH_RECALL)

    def accepted_recall(self) -> float:
        """See metrics.accepted_recall."""
        return metrics.accepted_recall(self.accepted, self.right, self.known)

    def dismissed_unknown(self) -> float:
        """Return the share of open-set photos that are declared to have no match."""
        return metrics.share(self.dismissed, ~self.known)

    def dismissed_known(self) -> float:
        """Return the share of photos of enrolled works that are declared to have no match."""
        return metrics.share(self.dismissed, self.known)

    def false_accepts(self) -> Counted:
        """See metrics.false_accepts."""
        return metrics.false_accepts(self.accepted, self.known)

    def wrong_accepts(self) -> Counted:
        """See metrics.wrong_accepts."""
        return metrics.wrong_accepts(self.accepted, self.right)

    def operating_points(self) -> Operating:
        """See metrics.operating_points."""
        return metrics.operating_points(self.score, self.right, self.known)

    def reliability(self) -> Reliability | None:
        """See metrics.reliability; None for a system that states no probabilities."""
        return None if np.isnan(self.probability).any() else metrics.reliability(self.probability, self.right)

    def interval(self, figure: Callable[[Outcomes], float]) -> Interval:
        """Return a figure with its bootstrap interval; photos that show the same are drawn together."""
        return metrics.bootstrap(lambda chosen: figure(self.part(chosen)), self.cluster)
