"""Perceptual hash: 64 signs of low frequencies, compared by the bits that differ."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import cv2
import numpy as np

from arthur.decode import ImageDecoder
from bench.accuracy.exam import Work
from bench.accuracy.systems import DEPTH, Answer

_SIDE, _LOW = 32, 8
_ALIKE = 10
"""Bits that may differ in a match: the usual advice for 64-bit hashes."""


class PerceptualHash:
    """The hash of every work in memory. See System."""

    def __init__(self) -> None:
        self._decode = ImageDecoder()
        self._hashes: dict[str, np.uint64] = {}

    def enroll(self, works: Sequence[Work]) -> int:
        """See System.enroll."""
        new = [work for work in works if work.name not in self._hashes]
        self._hashes |= {work.name: self._hash(work.path.read_bytes()) for work in new}
        return len(new)

    def settle(self) -> None:
        """See System.settle."""

    def forget(self, names: Collection[str]) -> None:
        """See System.forget."""
        for name in names:
            self._hashes.pop(name, None)

    def query(self, photo: bytes) -> Answer:
        """See System.query."""
        hashes = np.fromiter(self._hashes.values(), np.uint64, len(self._hashes))
        distance = np.bitwise_count(hashes ^ self._hash(photo)).astype(np.int64)
        names = list(self._hashes)
        best = np.argsort(distance, kind="stable")[:DEPTH]
        ranked = tuple((names[place], float(64 - distance[place])) for place in best)
        alike = len(best) > 0 and distance[best[0]] <= _ALIKE
        return Answer(ranked, ranked[0][1] if ranked else 0.0, "match" if alike else "no_match")

    def stored_bytes(self) -> int:
        """See System.stored_bytes."""
        return 8 * len(self._hashes)

    def close(self) -> None:
        """See System.close."""
        self._hashes.clear()

    def _hash(self, file: bytes) -> np.uint64:
        grey = cv2.cvtColor(self._decode(file, _SIDE, fit="stretch").pixels, cv2.COLOR_RGB2GRAY)
        low = cv2.dct(grey.astype(np.float32))[:_LOW, :_LOW].ravel()
        return np.uint64(int.from_bytes(np.packbits(low > np.median(low)).tobytes(), "big"))
