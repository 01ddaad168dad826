"""Power laws and lines through measured points, with the interval of what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

STUDENT_95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
"""Two-sided 95 % quantiles of Student's t, from one degree of freedom on; further ones are smaller than the last."""


Points = tuple[tuple[float, float], ...]
"""(x, y), in order of x."""


class Curve(Protocol):
    """What is believed of y at any x, and the points it rests on."""

    @property
    def points(self) -> Points:
        """The measured points."""

    def at(self, x: float) -> float:
        """Return the fitted y."""

    def interval(self, x: float) -> tuple[float, float]:
        """Return the 95 % interval of the fitted y at x."""


@dataclass(frozen=True, slots=True)
class Power:
    """y = factor * x ** exponent, by least squares of the logarithms.

    Attributes:
        margin: half the width of the exponent's 95 % interval.
        spread: standard deviation of log y about the line, by the degrees of freedom.
    """

    factor: float
    exponent: float
    margin: float
    points: Points
    spread: float

    def at(self, x: float) -> float:
        """See Curve.at."""
        return float(self.factor * x**self.exponent)

    def interval(self, x: float) -> tuple[float, float]:
        """See Curve.interval."""
        logs = np.log([point[0] for point in self.points])
        squares = float(((logs - logs.mean()) ** 2).sum())
        error = self.spread * np.sqrt(1 / len(logs) + (np.log(x) - logs.mean()) ** 2 / squares)
        wide = float(np.exp(_student(len(logs)) * error))
        return self.at(x) / wide, self.at(x) * wide


@dataclass(frozen=True, slots=True)
class Line:
    """y = start + slope * x, by least squares of the relative errors: for what is in proportion, beside a fixed part.

    Attributes:
        covariance: of start and slope, 2 x 2.
    """

    start: float
    slope: float
    points: Points
    covariance: tuple[tuple[float, float], tuple[float, float]]

    def at(self, x: float) -> float:
        """See Curve.at."""
        return self.start + self.slope * x

    def interval(self, x: float) -> tuple[float, float]:
        """See Curve.interval."""
        step = np.array([1.0, x])
        wide = _student(len(self.points)) * float(np.sqrt(step @ np.array(self.covariance) @ step))
        return max(0.0, self.at(x) - wide), self.at(x) + wide


def power_law(points: Sequence[tuple[float, float]]) -> Power:
    """Return the power law through three or more points of at least two different x.

    Raises:
        ValueError: the points are too few, alike or not positive.
    """
    ordered, (x, y) = _checked(points)
    x, y = np.log(x), np.log(y)
    squares = float(((x - x.mean()) ** 2).sum())
    exponent = float(((x - x.mean()) * (y - y.mean())).sum() / squares)
    intercept = float(y.mean() - exponent * x.mean())
    residuals = y - intercept - exponent * x
    spread = float(np.sqrt((residuals**2).sum() / (len(ordered) - 2)))
    margin = _student(len(ordered)) * spread / np.sqrt(squares)
    return Power(float(np.exp(intercept)), exponent, float(margin), ordered, spread)


def line(points: Sequence[tuple[float, float]]) -> Line:
    """Return the line through three or more points of at least two different x.

    Raises:
        ValueError: the points are too few, alike or not positive.
    """
    ordered, (x, y) = _checked(points)
    design = np.stack([1 / y, x / y], axis=1)
    scale = np.linalg.norm(design, axis=0)
    inverse = np.linalg.inv((design / scale).T @ (design / scale)) / np.outer(scale, scale)
    start, slope = inverse @ design.sum(axis=0)
    residuals = 1 - design @ np.array([start, slope])
    (a, b), (c, d) = (inverse * (residuals**2).sum() / (len(ordered) - 2)).tolist()
    return Line(float(start), float(slope), ordered, ((a, b), (c, d)))


def _checked(points: Sequence[tuple[float, float]]) -> tuple[Points, NDArray[np.float64]]:
    ordered = tuple(sorted(points))
    table = np.array(ordered, np.float64)
    if len(ordered) < 3 or (table <= 0).any() or ordered[0][0] == ordered[-1][0]:
        raise ValueError(f"a fit with an interval needs three positive points of different x, not {ordered}")
    return ordered, table.T


def _student(points: int) -> float:
    return STUDENT_95[min(points - 2, len(STUDENT_95)) - 1]
