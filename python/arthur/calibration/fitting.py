"""Logistics whose weights are not negative, fitted by penalised likelihood around earlier weights."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arthur.decision import Logistic

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

STRENGTH = 0.1
"""Penalty on the squared distance of each weight from the prior's: as much as a few trials say."""
STEPS = 100


@dataclass(frozen=True, slots=True)
class Prior:
    """Weights to stay near to where the trials say little.

    Attributes:
        weights: by the names of the inputs; one that is not named is 0.
        held: inputs of which the trials tell nothing: their weights stay as they are.
    """

    weights: Mapping[str, float]
    held: Collection[str] = ()


NO_PRIOR = Prior({})


def fit(
    names: tuple[str, ...], inputs: Floats, right: Flags, *, counts: Floats | None = None, prior: Prior = NO_PRIOR
) -> Logistic:
    """Return the likeliest logistic (maximum a posteriori with a normal prior; Newton's method).

    A weight that would become negative is fixed at 0, one after the other, so that no sign ever counts against.

    Args:
        names: of the inputs.
        inputs: (n, len(names)).
        right: (n,) whether what was judged was right.
        counts: (n,) as how many each counts; None is 1 each.
        prior: what is believed before.
    """
    centre = np.array([prior.weights.get(name, 0.0) for name in names])
    held = [name in prior.held for name in names]
    known: Floats = inputs[:, held] @ centre[held]
    used = [place for place, is_held in enumerate(held) if not is_held]
    times = np.ones(len(right)) if counts is None else counts
    cases = _Cases(right.astype(np.float64), times, known)
    while True:
        solution = _newton(inputs[:, used], cases, centre[used])
        negative = [place for place, weight in zip(used, solution[1:], strict=True) if weight < 0]
        if not negative:
            weights = dict(zip(names, np.where(held, centre, 0.0).tolist(), strict=True)) | {
                names[place]: float(weight) for place, weight in zip(used, solution[1:], strict=True)
            }
            return Logistic(float(solution[0]), weights)
        used.remove(min(negative, key=lambda place: solution[1:][used.index(place)]))


@dataclass(frozen=True, slots=True, eq=False)
class _Cases:
    """What is fitted to: (n,) 1 for right and 0 for wrong, as how many each counts, and the log-odds known of it."""

    labels: Floats
    times: Floats
    known: Floats


def _newton(inputs: Floats, cases: _Cases, centre: Floats) -> Floats:
    """Return intercept and weights; the intercept is free."""
    columns = np.concatenate([np.ones((len(inputs), 1)), inputs], axis=1)
    middle = np.concatenate([[0.0], centre])
    penalty = np.concatenate([[1e-6], np.full(len(centre), STRENGTH)])
    weights = middle.copy()
    for _ in range(STEPS):
        probability = 1 / (1 + np.exp(-np.clip(columns @ weights + cases.known, -500, 500)))
        slope = columns.T @ (cases.times * (cases.labels - probability)) - penalty * (weights - middle)
        curvature = (columns * (cases.times * probability * (1 - probability))[:, None]).T @ columns + np.diag(penalty)
        step = np.linalg.solve(curvature, slope)
        longest = float(np.abs(step).max())
        weights = weights + step * min(1.0, 2.0 / max(longest, 1e-12))
        if longest < 1e-9:
            break
    return weights
