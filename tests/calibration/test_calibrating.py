"""Claims about calibrations fitted to trials."""

from typing import Any

import numpy as np
import pytest

from arthur.calibration.calibrating import PROMISE, calibrate
from arthur.calibration.kept import default_calibration
from arthur.calibration.plot import reliability_svg
from arthur.calibration.trials import Look, Trial
from arthur.decision import Signs
from arthur.errors import BadRequest


def trials(count: int, *, seed: int = 3) -> list[Trial]:
    """Photos where the right entry has inliers for nine of ten known works, and the wrong ones hardly any."""
    random = np.random.default_rng(seed)
    return [_trial(random, known=number % 2 == 0) for number in range(count)]


def _trial(random: Any, *, known: bool) -> Trial:
    others = [Signs(float(random.uniform(0.2, 0.7)), int(random.integers(0, 9)), 0.05, 0.1, 0.5) for _ in range(3)]
    score, inliers, coverage = float(random.uniform(0.4, 0.9)), int(random.integers(25, 90)), 0.5
    if random.random() < 0.1:
        inliers, coverage = 3, 0.02
    own = Signs(score, inliers, coverage, min(1.0, inliers / 80), 0.8)
    entries = (own, *others) if known else tuple(others)
    scores = tuple(Signs(one.score) for one in entries)
    right = 0 if known else None
    return Trial(1, known, (Look("scores", scores, right), Look("checked", entries, right)))


def test_what_geometry_confirms_is_matched_and_unknown_works_are_not() -> None:
    _, reliability = calibrate(trials(1200), default_calibration())
    assert reliability.first > 0.85
    assert reliability.matched > 0.3
    assert reliability.false_accepts <= 2 * PROMISE
    assert reliability.error < 0.05


def test_probabilities_are_honest_on_unseen_trials() -> None:
    _, reliability = calibrate(trials(2000), default_calibration())
    for predicted, observed, count in zip(reliability.predicted, reliability.observed, reliability.counts, strict=True):
        assert count < 30 or abs(predicted - observed) < 0.2


def test_the_promise_holds_on_the_trials_themselves() -> None:
    shown = trials(1000)
    fitted, _ = calibrate(shown, default_calibration())
    wrong = [trial.looks[1].entries for trial in shown if not trial.known]
    certain = [max(fitted.probability(one) for one in entries) >= 1 - PROMISE for entries in wrong]
    assert sum(certain) <= 1


def test_the_same_trials_give_the_same_calibration() -> None:
    assert calibrate(trials(200), default_calibration()) == calibrate(trials(200), default_calibration())


def test_certainty_is_claimed_no_sooner_than_mistakes_allow() -> None:
    prior = default_calibration()
    few, many = (calibrate(trials(count), prior)[0].keenness for count in (300, 4000))
    assert few == 1.0
    assert 1.0 <= many <= prior.keenness


def test_held_inputs_keep_their_weights() -> None:
    prior = default_calibration()
    fitted, _ = calibrate(trials(200), prior, held=("agreement",))
    assert fitted.by_geometry.weights["agreement"] == prior.by_geometry.weights["agreement"]


def test_what_counts_little_takes_no_certainty_from_the_rest() -> None:
    shown = trials(1200)
    twin = Look("checked", (Signs(0.9, 85, 0.5, 1.0, 0.8),), None)
    rare = [Trial(1, known=False, looks=(twin,), count=0.01) for _ in range(20)]
    often = [Trial(1, known=False, looks=(twin,)) for _ in range(20)]
    matched = [calibrate(shown + some, default_calibration())[1].matched for some in (rare, often)]
    assert matched[0] > 0.2 > 0.05 > matched[1]


def test_too_few_trials_are_refused() -> None:
    with pytest.raises(BadRequest, match="too few"):
        calibrate(trials(10), default_calibration())


def test_the_curve_is_drawn_with_its_numbers() -> None:
    _, reliability = calibrate(trials(200), default_calibration())
    drawn = reliability_svg(reliability, "engine <a>")
    assert drawn.count("<circle") == len(reliability.counts)
    assert "engine &lt;a&gt;" in drawn
