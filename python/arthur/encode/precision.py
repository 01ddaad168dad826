"""How near a graph of lower precision has to come to the full one, and what one did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from arthur.encode.golden import distances
from arthur.encode.spec import Variant
from arthur.types import Pixels, Vectors

LEAST_COSINE: Mapping[Variant, float] = MappingProxyType(
    {"fp32": 0.99999, "fp16": 0.999, "bf16": 0.999, "int8": 0.99, "fp8": 0.99}
)
"""Smallest cosine to the full graph's vector of the same picture that is accepted."""
FARTHEST_ROW = 1e-3
"""Largest accepted 1 - cosine of a picture's vector alone to its vector among others."""
_TIE = 1e-3
"""Pictures whose scores differ by less are alike to the full graph itself: either may be found."""
_BATCH = 8
RUNS = 5
"""How often `compare` embeds each picture, by both graphs together."""

Run = Callable[[Pixels], Vectors]


@dataclass(frozen=True, slots=True)
class Compared:
    """What a graph did beside the full one.

    Attributes:
        precision: of the graph.
        pictures: how many were compared, each as it is and altered.
        cosine: the smallest one to the full graph's vector of the same picture, alone or among others.
        same_nearest: share of altered pictures whose nearest picture is the one that the full graph finds, or one as
            near to it.
        row_distance: largest 1 - cosine of a picture's vector alone to its vector among others.
    """

    precision: Variant
    pictures: int
    cosine: float
    same_nearest: float
    row_distance: float

    @property
    def passed(self) -> bool:
        """Whether the graph may stand in for the full one: catalogues hold vectors of both."""
        near = self.cosine >= LEAST_COSINE[self.precision] and self.row_distance <= FARTHEST_ROW
        return near and self.same_nearest == 1.0


def compare(precision: Variant, candidate: Run, reference: Run, *, pictures: Pixels, altered: Pixels) -> Compared:
    """Run both graphs on pictures and on their altered copies.

    Altered pictures are looked up among the reference's vectors, as a catalogue may have been made by the full graph.
    """
    known, asked = _batched(reference, pictures), _batched(reference, altered)
    found, together, alone = _batched(candidate, altered), _batched(candidate, pictures), _alone(candidate, pictures)
    worst = max(float(distances(*pair).max()) for pair in ((together, known), (alone, known), (found, asked)))
    scores = asked @ known.T
    chosen = np.take_along_axis(scores, (found @ known.T).argmax(axis=1, keepdims=True), axis=1)[:, 0]
    same = float((chosen >= scores.max(axis=1) - _TIE).mean())
    return Compared(precision, len(pictures), 1.0 - worst, same, float(distances(alone, together).max()))


def _batched(run: Run, pixels: Pixels) -> Vectors:
    return np.concatenate([run(pixels[first : first + _BATCH]) for first in range(0, len(pixels), _BATCH)])


def _alone(run: Run, pixels: Pixels) -> Vectors:
    return np.concatenate([run(pixels[place : place + 1]) for place in range(len(pixels))])
