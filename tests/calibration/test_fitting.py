"""Claims about fitting logistics."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from arthur.calibration.fitting import Prior, fit

NAMES = ("one", "two")


def drawn(intercept: float, weights: Any, *, count: int = 4000, seed: int = 1) -> Any:
    random = np.random.default_rng(seed)
    inputs = random.standard_normal((count, len(weights)))
    odds = inputs @ np.array(weights) + intercept
    return inputs, random.random(count) < 1 / (1 + np.exp(-odds))


def test_known_weights_are_found_again() -> None:
    fitted = fit(NAMES, *drawn(-1.0, [2.0, 0.5]))
    assert np.allclose([fitted.intercept, *fitted.weights.values()], [-1.0, 2.0, 0.5], atol=0.2)


@given(st.floats(-3, 3), st.floats(-3, 3))
def test_no_weight_is_ever_negative(one: Any, two: Any) -> None:
    fitted = fit(NAMES, *drawn(0.0, [one, two], count=200))
    assert min(fitted.weights.values()) >= 0


def test_a_sign_that_counts_against_is_left_out() -> None:
    fitted = fit(NAMES, *drawn(0.0, [2.0, -2.0]))
    assert fitted.weights["two"] == 0
    assert fitted.weights["one"] > 1


def test_few_trials_stay_near_the_prior() -> None:
    prior = Prior({"one": 3.0, "two": 1.0})
    fitted = fit(NAMES, *drawn(0.0, [0.1, 0.1], count=2), prior=prior)
    assert np.allclose(list(fitted.weights.values()), [3.0, 1.0], atol=1.0)


def test_a_held_weight_stays_and_the_others_are_fitted_beside_it() -> None:
    fitted = fit(NAMES, *drawn(-1.0, [2.0, 0.5]), prior=Prior({"two": 0.5}, held=("two",)))
    assert fitted.weights["two"] == 0.5
    assert np.isclose(fitted.weights["one"], 2.0, atol=0.2)


def test_separable_trials_give_finite_weights() -> None:
    inputs = np.array([[float(value), 0.0] for value in range(-50, 50)])
    fitted = fit(NAMES, inputs, inputs[:, 0] >= 0)
    assert 0 < fitted.weights["one"] < 100
