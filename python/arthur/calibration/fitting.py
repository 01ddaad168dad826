"""Logistics whose weights are not negative, fitted by penalised likelihood around earlier weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arthur.decision import Logistic

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

STRENGTH = 0.1
"""Penalty on the squared distance of each weight from the prior's: as much as a few trials say."""
STEPS = 100


def fit(
    names: tuple[str, ...], inputs: Floats, right: Flags, *, counts: Floats | None = None, prior: Logistic | None = None
) -> Logistic:
    """Return the likeliest logistic (maximum a posteriori with a normal prior; Newton's method).

    A weight that would become negative is fixed at 0, one after the other, so that no sign ever counts against.

    Args:
        names: of the inputs.
        inputs: (n, len(names)).
        right: (n,) whether what was judged was right.
        counts: (n,) as how many each counts; None is 1 each.
        prior: weights to stay near to where the trials say little; None is all zero.
    """
    centre = np.array([prior.weights.get(name, 0.0) if prior is not None else 0.0 for name in names])
    used = list(range(len(names)))
    times = np.ones(len(right)) if counts is None else counts
    while True:
        solution = _newton(inputs[:, used], right.astype(np.float64), times, centre[used])
        negative = [place for place, weight in zip(used, solution[1:], strict=True) if weight < 0]
        if not negative:
            weights = dict.fromkeys(names, 0.0) | {
                names[place]: float(weight) for place, weight in zip(used, solution[1:], strict=True)
            }
            return Logistic(float(solution[0]), weights)
        used.remove(min(negative, key=lambda place: solution[1:][used.index(place)]))


def _newton(inputs: Floats, labels: Floats, times: Floats, centre: Floats) -> Floats:
    """Return intercept and weights; the intercept is free."""
    columns = np.concatenate([np.ones((len(inputs), 1)), inputs], axis=1)
    middle = np.concatenate([[0.0], centre])
    penalty = np.concatenate([[1e-6], np.full(len(centre), STRENGTH)])
    weights = middle.copy()
    for _ in range(STEPS):
        probability = 1 / (1 + np.exp(-np.clip(columns @ weights, -500, 500)))
        slope = columns.T @ (times * (labels - probability)) - penalty * (weights - middle)
        curvature = (columns * (times * probability * (1 - probability))[:, None]).T @ columns + np.diag(penalty)
        step = np.linalg.solve(curvature, slope)
        longest = float(np.abs(step).max())
        weights = weights + step * min(1.0, 2.0 / max(longest, 1e-12))
        if longest < 1e-9:
            break
    return weights
