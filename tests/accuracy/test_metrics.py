"""The figures on cases small enough to be worked out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.accuracy import metrics

RANK = np.array([1, 3, 0, 1, 7, 0, 0])
KNOWN = np.array([True, True, True, True, True, False, False])
RIGHT = np.array([True, False, False, True, False, False, False])
SCORE = np.array([0.9, 0.8, 0.3, 0.6, 0.2, 0.7, 0.1])
NOBODY = np.zeros(3, np.bool_)


@pytest.mark.parametrize(("k", "expected"), [(1, 2 / 5), (5, 3 / 5), (10, 4 / 5)])
def test_recall_at_k_counts_only_known_queries(k: int, expected: float) -> None:
    assert metrics.recall_at(RANK, KNOWN, k) == pytest.approx(expected)


def test_micro_average_precision_ranks_all_queries_together() -> None:
    # Right ones are first and fourth of the ranking: (1/1 + 2/4) over five known queries.
    assert metrics.micro_average_precision(SCORE, RIGHT, KNOWN) == pytest.approx((1 + 0.5) / 5)


def test_an_open_set_query_with_a_high_score_costs_precision() -> None:
    louder = np.where(KNOWN, SCORE, 1.0)
    assert metrics.micro_average_precision(louder, RIGHT, KNOWN) == pytest.approx((1 / 3 + 2 / 5) / 5)


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0]])
def test_equal_scores_stand_or_fall_together(order: list[int]) -> None:
    right = np.array([True, True, False, False])[order]
    same, known = np.full(4, 0.5), np.ones(4, np.bool_)
    assert metrics.micro_average_precision(same, right, known) == pytest.approx(0.5 * 0.5)


def test_a_perfect_system_has_an_average_precision_of_one() -> None:
    assert metrics.micro_average_precision(np.array([0.9, 0.8, 0.1]), ~NOBODY & [True, True, False], KNOWN[3:6]) == 1


@pytest.mark.parametrize(("precision", "expected"), [(1.0, 1 / 5), (0.5, 2 / 5), (0.2, 2 / 5)])
def test_recall_at_precision_takes_the_lowest_threshold_that_is_precise_enough(
    precision: float, expected: float
) -> None:
    assert metrics.recall_at_precision(SCORE, RIGHT, KNOWN, precision) == pytest.approx(expected)


def test_recall_at_precision_is_zero_where_no_threshold_is_precise_enough() -> None:
    assert metrics.recall_at_precision(np.array([0.9, 0.5]), ~KNOWN[4:6] & KNOWN[4:6], KNOWN[4:6], 0.99) == 0


@pytest.mark.parametrize(("recall", "expected"), [(0.5, 0.0), (0.95, 0.5), (1.0, 0.5)])
def test_false_positives_are_counted_where_the_right_answers_are_kept(recall: float, expected: float) -> None:
    # Right answers score 0.9 and 0.6; the open-set queries 0.7 and 0.1.
    assert metrics.false_positive_rate(SCORE, RIGHT, KNOWN, recall) == expected


def test_declared_matches_are_judged_from_three_sides() -> None:
    accepted = np.array([True, True, False, False, False, True, False])
    assert metrics.false_accepts(accepted, KNOWN) == metrics.Counted(1, 2)
    assert metrics.wrong_accepts(accepted, RIGHT) == metrics.Counted(2, 3)
    assert metrics.accepted_recall(accepted, RIGHT, KNOWN) == 1 / 5


def test_figures_without_queries_are_not_a_number() -> None:
    assert math.isnan(metrics.recall_at(RANK[:3], NOBODY, 1))
    assert math.isnan(metrics.micro_average_precision(SCORE[:3], NOBODY, NOBODY))
    assert math.isnan(metrics.false_positive_rate(SCORE[:3], NOBODY, NOBODY, 0.95))
    assert math.isnan(metrics.wrong_accepts(NOBODY, NOBODY).rate)
    assert math.isnan(metrics.wrong_accepts(NOBODY, NOBODY).at_most())


def test_reliability_compares_probability_with_frequency() -> None:
    probability = np.array([0.05, 0.15, 0.15, 0.95, 1.0])
    right = np.array([False, True, False, True, True])
    curve = metrics.reliability(probability, right)
    np.testing.assert_allclose(curve.predicted, [0.05, 0.15, 0.975])
    np.testing.assert_allclose(curve.observed, [0, 0.5, 1])
    assert curve.count.tolist() == [1, 2, 2]
    assert curve.error == pytest.approx((0.05 + 2 * 0.35 + 2 * 0.025) / 5)


def test_a_calibrated_system_has_no_calibration_error() -> None:
    probability = np.repeat([0.25, 0.75], 4)
    right = np.array([True, False, False, False, True, True, True, False])
    assert metrics.reliability(probability, right).error == 0


def test_the_interval_holds_the_value_and_repeats() -> None:
    right = np.arange(200) % 4 > 0
    found, again = (metrics.bootstrap(lambda chosen: float(right[chosen].mean()), np.arange(200)) for _ in range(2))
    assert found == again
    assert found.low < found.value == 0.75 < found.high
    # The standard error of 0.75 over 200 queries is 0.031.
    assert found.high - found.low == pytest.approx(4 * 0.031, rel=0.2)


def test_queries_that_show_the_same_widen_the_interval() -> None:
    right = np.repeat(np.arange(50) % 2 > 0, 8)
    together = metrics.bootstrap(lambda chosen: float(right[chosen].mean()), np.repeat(np.arange(50), 8))
    apart = metrics.bootstrap(lambda chosen: float(right[chosen].mean()), np.arange(400))
    assert together.high - together.low > 2 * (apart.high - apart.low)


@pytest.mark.parametrize(("events", "trials"), [(0, 100), (1, 100), (5, 50), (9, 10), (0, 10_000)])
def test_so_few_events_are_unlikely_at_the_bound_of_their_rate(events: int, trials: int) -> None:
    bound = metrics.Counted(events, trials).at_most()
    chances = (math.comb(trials, n) * bound**n * (1 - bound) ** (trials - n) for n in range(events + 1))
    assert sum(chances) == pytest.approx(0.05)


@given(st.integers(0, 60), st.integers(1, 60))
def test_the_bound_is_above_what_was_seen(events: int, more: int) -> None:
    seen = metrics.Counted(events, events + more)
    assert seen.rate < seen.at_most() < 1


def test_what_always_happened_has_no_bound_below_one() -> None:
    assert metrics.Counted(7, 7).at_most() == 1


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_average_precision_never_exceeds_recall(queries: list[tuple[float, bool, bool]]) -> None:
    score, known, right = (np.array(column) for column in zip(*queries, strict=True))
    right = right & known
    if known.any():
        found = metrics.micro_average_precision(score.astype(np.float64), right, known)
        assert 0 <= found <= metrics.recall_at(right.astype(np.int64), known, 1) + 1e-9
