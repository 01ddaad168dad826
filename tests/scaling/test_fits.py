"""Fits find what made the points, and say how far they may be trusted."""

from __future__ import annotations

import numpy as np
import pytest

from bench.scaling.fits import line, power_law

SIZES = (1e4, 5e4, 2e5, 1e6)


def test_a_power_law_is_recovered_exactly() -> None:
    found = power_law([(size, 0.02 * size**0.47) for size in SIZES])

    assert (found.factor, found.exponent) == pytest.approx((0.02, 0.47))
    assert found.margin == pytest.approx(0, abs=1e-9)
    assert found.at(1e8) == pytest.approx(0.02 * 1e8**0.47)


def test_a_line_is_recovered_exactly() -> None:
    found = line([(size, 0.4 + 2e-5 * size) for size in SIZES])

    assert (found.start, found.slope) == pytest.approx((0.4, 2e-5))
    assert found.interval(1e7) == pytest.approx((200.4, 200.4))


def test_the_interval_holds_the_true_exponent_nineteen_times_in_twenty() -> None:
    rng = np.random.default_rng(7)
    noises = np.exp(rng.normal(0, 0.1, (1000, len(SIZES))))
    fits = [power_law([(x, x**0.5 * noise) for x, noise in zip(SIZES, noises_, strict=True)]) for noises_ in noises]

    held = np.mean([abs(fit.exponent - 0.5) <= fit.margin for fit in fits])

    assert 0.93 <= held <= 0.97


def test_the_interval_of_a_line_holds_the_truth_nineteen_times_in_twenty() -> None:
    rng = np.random.default_rng(8)
    noises = 1 + rng.normal(0, 0.05, (1000, len(SIZES)))
    fits = [line([(x, 2 * x * noise) for x, noise in zip(SIZES, noises_, strict=True)]) for noises_ in noises]

    held = np.mean([low <= 2e7 <= high for low, high in (fit.interval(1e7) for fit in fits)])

    assert 0.92 <= held <= 0.98


def test_the_interval_widens_with_the_distance() -> None:
    found = power_law([(1e4, 1.0), (1e5, 3.0), (1e6, 8.0)])
    widths = [high / low for low, high in map(found.interval, (1e5, 1e7, 1e9))]

    assert widths == sorted(widths)


@pytest.mark.parametrize("fit", [line, power_law])
@pytest.mark.parametrize("points", [[(1, 1), (2, 2)], [(1, 1), (1, 2), (1, 3)], [(1, 1), (2, 0), (3, 3)]])
def test_points_that_say_nothing_are_refused(fit: object, points: list[tuple[float, float]]) -> None:
    assert callable(fit)
    with pytest.raises(ValueError, match="three positive points"):
        fit(points)
