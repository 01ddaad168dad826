"""The usual two stages: nearest global embeddings, then ORB and RANSAC on the ten best.

The embedding is arthur-mini, or any engine folder: with CLIP or DINO in it, this is what most such services run.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from arthur.decode import Decoded, ImageDecoder
from arthur.encode import Encoder, open_encoder
from bench.accuracy.exam import Work
from bench.accuracy.systems import DEPTH, Answer
from bench.accuracy.systems.features import LONG_SIDE, Features, distinct, features, inliers

_WORK_FEATURES, _PHOTO_FEATURES = 300, 800
_RATIO = 0.85
_PIXELS = 6.0
_CERTAIN = 15
"""Inliers that make a match: what such services commonly ask for."""


class TwoStages:
    """Embeddings and ORB features of every work in memory. See System."""

    def __init__(self, engine: str) -> None:
        self._decode = ImageDecoder()
        self._encoder: Encoder = open_encoder(engine, threads=1)
        self._work_detector = cv2.ORB.create(nfeatures=_WORK_FEATURES)
        self._photo_detector = cv2.ORB.create(nfeatures=_PHOTO_FEATURES)
        self._matcher = cv2.BFMatcher(cv2.NORM_HAMMING)
        self._features: dict[str, Features] = {}
        self._vectors: dict[str, NDArray[np.float32]] = {}
        self._matrix: NDArray[np.float32] | None = None

    def enroll(self, works: Sequence[Work]) -> int:
        """See System.enroll."""
        new = [work for work in works if work.name not in self._features]
        for work in new:
            decoded = self._decoded(work.path.read_bytes())
            self._vectors[work.name] = self._vector(decoded)
            self._features[work.name] = _orb(self._work_detector, decoded)
            self._matrix = None
        return len(new)

    def settle(self) -> None:
        """See System.settle."""

    def forget(self, names: Collection[str]) -> None:
        """See System.forget."""
        for name in names:
            self._features.pop(name, None)
            self._vectors.pop(name, None)
            self._matrix = None

    def query(self, photo: bytes) -> Answer:
        """See System.query."""
        if not self._vectors:
            return Answer((), 0.0, "no_match")
        decoded = self._decoded(photo)
        seen = _orb(self._photo_detector, decoded)
        found = [(name, self._inliers(name, seen), cosine) for name, cosine in self._nearest(self._vector(decoded))]
        found.sort(key=lambda one: (-one[1], -one[2]))
        # The cosine, below 1, ranks works of equal inliers.
        ranked = tuple((name, count + cosine / 2) for name, count, cosine in found)
        return Answer(ranked, ranked[0][1], "match" if found[0][1] >= _CERTAIN else "no_match")

    def stored_bytes(self) -> int:
        """See System.stored_bytes."""
        vectors = sum(vector.nbytes for vector in self._vectors.values())
        return vectors + sum(work.size_bytes for work in self._features.values())

    def close(self) -> None:
        """See System.close."""
        self._encoder.close()

    def _decoded(self, file: bytes) -> Decoded:
        spec = self._encoder.spec
        return self._decode(file, spec.side, fit=spec.fit, preview_side=LONG_SIDE, preview_gray=True)

    def _vector(self, decoded: Decoded) -> NDArray[np.float32]:
        return self._encoder.encode(decoded.pixels[None]).reshape(-1)

    def _nearest(self, vector: NDArray[np.float32]) -> list[tuple[str, float]]:
        """Return the DEPTH works nearest to a vector by exact comparison, and their cosines."""
        if self._matrix is None:
            self._matrix = np.stack(list(self._vectors.values()))
        cosines = self._matrix @ vector
        names = list(self._vectors)
        return [(names[place], float(cosines[place])) for place in np.argsort(-cosines, kind="stable")[:DEPTH]]

    def _inliers(self, name: str, photo: Features) -> int:
        work = self._features[name]
        if min(len(work.codes), len(photo.codes)) < 2:
            return 0
        good = distinct(self._matcher.knnMatch(photo.codes, work.codes, k=2), _RATIO)
        return inliers(work, photo, good, method=cv2.USAC_MAGSAC, pixels=_PIXELS)


def _orb(detector: cv2.Feature2D, decoded: Decoded) -> Features:
    if decoded.preview is None:
        raise ValueError("the decoder made no preview")
    return features(detector, decoded.preview, width=32)
