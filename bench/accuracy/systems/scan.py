"""The way Arthur worked before: SIFT of the photo against SIFT of every single work, one after the other.

FLANN pairs the descriptors, Lowe's test keeps the distinct ones, and where enough are left a homography counts the
inliers, by which works are ranked. Time grows with the catalogue: seconds for a thousand works.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import cv2
import numpy as np

from arthur.decode import ImageDecoder
from bench.accuracy.exam import Work
from bench.accuracy.systems import DEPTH, Answer
from bench.accuracy.systems.features import LONG_SIDE, Features, distinct, features, inliers

_FEATURES = 500
_RATIO = 0.7
_ENOUGH = 10
"""Matches below which a work is not looked at further, and inliers that make a match: what OpenCV's tutorial, which
most such scans follow, proposes."""
_PIXELS = 5.0
_KD_TREE, _TREES, _CHECKS = 1, 5, 50


class FullScan:
    """SIFT features of every work in memory. See System."""

    def __init__(self) -> None:
        self._decode = ImageDecoder()
        self._detector = cv2.SIFT.create(nfeatures=_FEATURES)
        self._works: dict[str, Features] = {}

    def enroll(self, works: Sequence[Work]) -> int:
        """See System.enroll."""
        new = [work for work in works if work.name not in self._works]
        self._works |= {work.name: self._features(work.path.read_bytes()) for work in new}
        return len(new)

    def settle(self) -> None:
        """See System.settle."""

    def forget(self, names: Collection[str]) -> None:
        """See System.forget."""
        for name in names:
            self._works.pop(name, None)

    def query(self, photo: bytes) -> Answer:
        """See System.query."""
        seen = self._features(photo)
        found = ((name, *self._compared(work, seen)) for name, work in self._works.items())
        best = sorted(found, key=lambda one: (-one[1], -one[2]))[:DEPTH]
        # The matches break ties between works of equal inliers; a thousandth never outweighs an inlier.
        ranked = tuple((name, count + matches / 1000) for name, count, matches in best)
        certain = bool(best) and best[0][1] >= _ENOUGH
        return Answer(ranked, ranked[0][1] if ranked else 0.0, "match" if certain else "no_match")

    def stored_bytes(self) -> int:
        """See System.stored_bytes."""
        return sum(work.size_bytes for work in self._works.values())

    def close(self) -> None:
        """See System.close."""
        self._works.clear()

    def _features(self, file: bytes) -> Features:
        grey = self._decode(file, 1, preview_side=LONG_SIDE, preview_gray=True).preview
        if grey is None:
            raise ValueError("the decoder made no preview")
        return features(self._detector, grey, width=128)

    def _compared(self, work: Features, photo: Features) -> tuple[int, int]:
        """Return inliers and distinct matches of one work."""
        if min(len(work.codes), len(photo.codes)) < 2:
            return 0, 0
        matcher = cv2.FlannBasedMatcher({"algorithm": _KD_TREE, "trees": _TREES}, {"checks": _CHECKS})
        pairs = matcher.knnMatch(photo.codes.astype(np.float32), work.codes.astype(np.float32), k=2)
        good = distinct(pairs, _RATIO)
        enough = len(good) >= _ENOUGH
        return inliers(work, photo, good, method=cv2.RANSAC, pixels=_PIXELS) if enough else 0, len(good)
