"""Which features of a photo look like which of a work: by appearance alone, before any geometry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arthur import _native
from arthur.verify.features import Features, Floats

Rows = NDArray[np.uint32]

_UNIT = 160
ALIKE = 0.6
"""Cosine from which two features may show the same patch: 97 of 100 true pairs reach it, 1 of 100 false ones."""
RATIO = 0.9
"""Largest distance to the best feature of the work, as a share of that to the second best, to start a hypothesis."""
MOST_STARTS = 100
"""Matches that geometry starts from, the most distinctive ones."""
MOST_PAIRS = 6000
"""Pairs that geometry looks at, the most similar ones; texture that repeats gives many more."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs of alike features: feature `photo[i]` of the photo and `work[i]` of the work have cosine `cosine[i]`."""

    photo: Rows
    work: Rows
    cosine: Floats

    def __len__(self) -> int:
        return len(self.photo)

    def take(self, which: NDArray[np.bool_] | NDArray[np.intp] | Rows) -> Pairs:
        """Return some of the pairs."""
        return Pairs(self.photo[which], self.work[which], self.cosine[which])


def alike(photo: Features, work: Features) -> tuple[Pairs, Pairs]:
    """Return all pairs of alike features, and the distinctive ones among them, most distinctive first.

    A pair is distinctive if each is the other's best, and the second best of the work is clearly farther.
    """
    rows, columns, products, mutual, ratios = _native.alike(photo.patches, work.patches, round(ALIKE * _UNIT**2))
    pairs = Pairs(rows, columns, (products / np.float32(_UNIT**2)).astype(np.float32))
    order = np.argsort(ratios, kind="stable")[:MOST_STARTS]
    starts = pairs.take(mutual[order[ratios[order] < RATIO**2]])
    if len(pairs) > MOST_PAIRS:
        pairs = pairs.take(np.argpartition(-pairs.cosine, MOST_PAIRS)[:MOST_PAIRS])
    return pairs, starts
