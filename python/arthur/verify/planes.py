"""The verifier for flat works: SIFT features that lie on one plane."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from arthur.errors import BadRequest
from arthur.types import LocalQuery
from arthur.verify import Gray, Look, Verification, packed, sift
from arthur.verify.evidence import weigh
from arthur.verify.features import Features
from arthur.verify.geometry import fit
from arthur.verify.vocabulary import Vocabulary

_ENROLLED_SIDE = 480
"""A work fills a part of its photos: what shows only at a higher resolution is rarely seen again."""
_DETECTED = 1000
"""Keypoints of a picture of the catalogue from which those to be kept are chosen."""
_LOOKED_AT = 500
_FIRST_LOOK_SIDE, _GLANCE_SIDE = 400, 200
_FIRST_LOOKED_AT, _GLANCED_AT = 300, 200
_WORDS = 4
"""Words of each feature of a photo, nearest first."""


class PlaneVerifier:
    """See Verifier."""

    def __init__(self, vocabulary: Vocabulary | None = None) -> None:
        self._vocabulary = vocabulary or Vocabulary()
        self._fingerprint = f"{sift.VERSION}-{self._vocabulary.digest[:16]}"

    @property
    def fingerprint(self) -> str:
        """See Verifier.fingerprint."""
        return self._fingerprint

    def describe(self, gray: Gray) -> bytes:
        """See Verifier.describe."""
        _check(gray)
        found = sift.detect(_shrunk(gray), _DETECTED, kept=packed.MOST).in_picture(gray)
        patches = self._vocabulary.describe(found.patches)
        words = self._vocabulary.words(patches, 1)
        return packed.pack(
            packed.Packed(
                width=found.width,
                height=found.height,
                points=found.points,
                scales=found.scales,
                angles=found.angles,
                words=words[:, 0],
                signatures=self._vocabulary.signatures(patches, words)[:, 0],
                codes=self._vocabulary.code(patches),
            )
        )

    def look(self, gray: Gray) -> Look:
        """See Verifier.look."""
        _check(gray)
        found = sift.detect(gray, _count(max(gray.shape)))
        patches = self._vocabulary.describe(found.patches)
        return self._look(Features(found.width, found.height, found.points, found.scales, found.angles, patches))

    def recall(self, packed_features: bytes) -> Look:
        """See Verifier.recall."""
        stored = packed.unpack(packed_features)
        patches = self._vocabulary.decode(stored.codes)
        return self._look(Features(stored.width, stored.height, stored.points, stored.scales, stored.angles, patches))

    def _look(self, features: Features) -> Look:
        return Look(features, lambda: self._query(features))

    def _query(self, features: Features) -> LocalQuery:
        words = self._vocabulary.words(features.patches, _WORDS)
        signatures = self._vocabulary.signatures(features.patches, words)
        return LocalQuery(words, signatures, features.points, features.scales, features.angles)

    def compare(self, look: Look, candidates: Sequence[bytes]) -> list[Verification]:
        """See Verifier.compare."""
        return [self._compared(look.features, packed.unpack(candidate)) for candidate in candidates]

    def _compared(self, photo: Features, stored: packed.Packed) -> Verification:
        patches = self._vocabulary.decode(stored.codes)
        work = Features(stored.width, stored.height, stored.points, stored.scales, stored.angles, patches)
        found, matches = fit(photo, work)
        if found is None:
            return Verification(matches=matches)
        evidence = weigh(photo, work, found)
        if evidence is None:
            return Verification(matches=matches)
        return Verification(
            inliers=len(found.pairs),
            matches=matches,
            coverage=evidence.coverage,
            visible=evidence.visible,
            support=evidence.support,
            aside=evidence.aside,
            off_middle=evidence.off_middle,
            error_px=evidence.error_px,
            cosine=evidence.cosine,
            quad=evidence.quad,
            homography=found.homography,
        )


def _count(side: int) -> int:
    """Return how many keypoints of a photo are worth their time, by its longest side."""
    if side <= _GLANCE_SIDE:
        return _GLANCED_AT
    return _FIRST_LOOKED_AT if side <= _FIRST_LOOK_SIDE else _LOOKED_AT


def _shrunk(gray: Gray) -> Gray:
    shrink = _ENROLLED_SIDE / max(gray.shape)
    if shrink >= 1:
        return gray
    height, width = (max(1, round(side * shrink)) for side in gray.shape)
    return np.asarray(cv2.resize(gray, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _check(gray: Gray) -> None:
    if gray.ndim != 2 or gray.dtype != np.uint8 or not 0 < min(gray.shape) <= max(gray.shape) <= sift.LARGEST_SIDE:
        raise BadRequest(
            f"a gray picture is (h, w) uint8, each side 1 to {sift.LARGEST_SIDE}, not {gray.shape} {gray.dtype}"
        )
