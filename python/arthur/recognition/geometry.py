"""Local features in the service of a recognition: who is voted for, and whom geometry confirms."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from arthur.catalog import Catalog
from arthur.errors import EngineError
from arthur.recognition.follower import Follower
from arthur.recognition.history import feature_history
from arthur.recognition.parts import LocalParts
from arthur.recognition.stages import Stages
from arthur.types import Filter, Keys, LocalFeatures
from arthur.verify import Look, Verification

PREVIEW_SIDE = 640
"""Longest side of the pictures whose local features are enrolled, and of photos at the closest look."""

Rgb = NDArray[np.uint8]
"""(h, w, 3) uint8 RGB."""
Gray = NDArray[np.uint8]
"""(h, w) uint8 luma."""


class Geometry:
    """Describes, votes and verifies. Callable from any thread.

    Raises:
        EngineError: from every method that looks at a picture, when the verifier failed at it.
        StoreError: the catalog or the local index does not answer.
    """

    def __init__(self, local: LocalParts, catalog: Catalog) -> None:
        self._verifier = local.verifier
        self._index = local.index
        self._catalog = catalog
        self._fingerprint = local.verifier.fingerprint
        history = feature_history(catalog, local.index, fingerprint=self._fingerprint)
        self.follower = Follower(catalog, local.index, history)

    def describe(self, picture: Rgb) -> LocalFeatures:
        """Return the packed features of a picture to be enrolled."""
        try:
            return LocalFeatures(self._fingerprint, self._verifier.describe(luma(shrunk(picture, PREVIEW_SIDE))))
        except cv2.error as error:
            raise EngineError(f"local features: {error}") from error

    def look(self, gray: Gray) -> Look:
        """Return the local features of a photo."""
        try:
            return self._verifier.look(gray)
        except cv2.error as error:
            raise EngineError(f"local features: {error}") from error

    def recall(self, packed: bytes) -> Look:
        """Return what `look` would, from the features of an enrolled picture."""
        return self._verifier.recall(packed)

    def vote(self, look: Look, k: int, where: Filter | None, stages: Stages) -> Keys:
        """Return the keys of the `k` views that share most visual words with the photo, best first."""

        def ask() -> Keys:
            with stages.stage("vote", checked=False):
                keys: Keys = self._index.search(look.query, k, where=where).keys[0]
                return keys

        keys, _ = self.follower.answer(ask, stages)
        return keys[keys >= 0]

    def verify(self, look: Look, keys: Sequence[int]) -> dict[int, Verification]:
        """Return by key how well the photo can be laid over each view; those without features are missing."""
        packed = self._catalog.features(np.array(keys, np.int64), self._fingerprint)
        try:
            return dict(zip(packed, self._verifier.compare(look, list(packed.values())), strict=True))
        except cv2.error as error:
            raise EngineError(f"geometric verification: {error}") from error


def luma(picture: Rgb) -> Gray:
    """Return the luma of a picture."""
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)


def shrunk(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return the gray or RGB picture with its longest side at most `side`."""
    height, width = picture.shape[:2]
    factor = side / max(height, width)
    if factor >= 1:
        return picture
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
