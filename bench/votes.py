"""A vote of visual words in plain numpy, to measure local features by themselves: not the index that Arthur uses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from arthur.types import LocalQuery
from arthur.verify.packed import unpack

WORDS = 65_536
ASSIGNED = 3
"""Words that each feature of a photo votes by."""
FARTHEST = 24
"""Differing bits of two signatures up to which they may show the same patch."""
SOFTNESS = 16.0


class Votes:
    """An inverted file over packed local features."""

    def __init__(self, packed: Sequence[bytes]) -> None:
        features = [unpack(one) for one in packed]
        words = np.concatenate([one.words for one in features]).astype(np.int64)
        owners = np.repeat(np.arange(len(features)), [len(one) for one in features])
        order = np.argsort(words, kind="stable")
        self._owners = owners[order]
        self._signatures = np.concatenate([one.signatures for one in features])[order]
        self._starts = np.searchsorted(words[order], np.arange(WORDS + 1))
        holders = np.bincount(np.unique(words * len(features) + owners) // len(features), minlength=WORDS)
        self._rarity = np.log(len(features) / np.maximum(holders, 1)) ** 2
        self._length = np.sqrt(np.bincount(owners, minlength=len(features)) + 1.0)

    def __call__(self, query: LocalQuery) -> tuple[NDArray[np.float64], float]:
        """Return the votes for each picture, and the share of all postings that were looked at."""
        words = query.words[:, :ASSIGNED].astype(np.int64)
        signatures = query.signatures[:, :ASSIGNED].ravel()
        counts = (self._starts[words + 1] - self._starts[words]).ravel()
        asked = np.repeat(np.arange(words.size), counts)
        within = np.arange(len(asked)) - np.repeat(np.cumsum(counts) - counts, counts)
        places = np.repeat(self._starts[words].ravel(), counts) + within
        bits = np.bitwise_count(self._signatures[places] ^ signatures[asked])
        near = bits <= FARTHEST
        asked, places, bits = asked[near], places[near], bits[near].astype(np.float64)
        feature = asked // words.shape[1]
        weights = np.exp(-((bits / SOFTNESS) ** 2)) * self._rarity[words.ravel()[asked]]
        weights /= np.sqrt(np.bincount(feature, minlength=len(words))[feature])
        once = feature * len(self._length) + self._owners[places]
        order = np.lexsort((-weights, once))
        order = order[np.diff(once[order], prepend=-1) != 0]
        votes = np.bincount(self._owners[places][order], weights[order], minlength=len(self._length))
        return votes / self._length, within.size / max(1, len(self._owners))
