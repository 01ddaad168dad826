"""Port of the geometric verification: does a photo show this work, and where in the photo does it lie."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from arthur.errors import ConfigError
from arthur.types import LocalQuery
from arthur.verify.features import Features

__all__ = ["Look", "Verification", "Verifier", "open_verifier"]

Gray = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """Local features of a photo, and how an index is asked with them.

    Attributes:
        features: what is compared with candidates.
        ask: makes the query; it costs more than comparing with one candidate, and not every look votes.
    """

    features: Features
    ask: Callable[[], LocalQuery]

    @property
    def query(self) -> LocalQuery:
        """What an index is asked with; made anew with each use."""
        return self.ask()


@dataclass(frozen=True, slots=True, eq=False)
class Verification:
    """How well a candidate fits a photo; zeros and None where no plane fits.

    Attributes:
        inliers: features of the work that lie in the photo where the plane takes them, and look alike.
        matches: distinctive matches by appearance alone.
        coverage: share of the work's area that lies near an inlier, 0..1.
        visible: share of the work's area that lies inside the photo, 0..1.
        support: inliers as a share of the work's features that the photo should show, 0..1.
        aside: distance from the middle of the inliers to the middle of the photo, 1 at a corner of the photo.
        off_middle: distance from the middle of the photo to the work, 0 where it lies on it, 1 for half a diagonal.
        error_px: median distance of the inliers from their places, pixels of the photo's gray picture.
        cosine: mean likeness of the inliers, 0..1.
        quad: (4, 2) float32 corners of the work in the photo's gray picture, pixels, clockwise from the work's top
            left; some may lie outside.
        homography: (3, 3) float64 from pixels of the work's gray picture to those of the photo's.
    """

    inliers: int = 0
    matches: int = 0
    coverage: float = 0.0
    visible: float = 0.0
    support: float = 0.0
    aside: float = 0.0
    off_middle: float = 0.0
    error_px: float = 0.0
    cosine: float = 0.0
    quad: NDArray[np.float32] | None = None
    homography: NDArray[np.float64] | None = None


class Verifier(Protocol):
    """Local features and what they prove. Every method may be called from any thread at any time.

    Gray pictures are (h, w) uint8 luma of the whole picture, upright, the longest side at most 1024 pixels; 640 is
    meant. The same picture gives the same bytes.
    """

    @property
    def fingerprint(self) -> str:
        """Version of all that stored features depend on: features of another fingerprint cannot be compared."""
        ...

    def describe(self, gray: Gray) -> bytes:
        """Return the packed local features of a picture of the catalogue, at most 12,000 bytes; a flat one has none.

        Raises:
            BadRequest: the picture is not of that form.
        """
        ...

    def look(self, gray: Gray) -> Look:
        """Return the local features of a photo; a small picture (400 pixels or less) takes a third of the time.

        Raises:
            BadRequest: the picture is not of that form.
        """
        ...

    def recall(self, packed: bytes) -> Look:
        """Return what `look` would return, from the packed features of a picture of the catalogue: with fewer of them.

        Raises:
            StoreError: the features are damaged.
        """
        ...

    def compare(self, look: Look, candidates: Sequence[bytes]) -> list[Verification]:
        """Say of each candidate, given by its packed features, how well it fits the photo.

        Raises:
            StoreError: the features of a candidate are damaged.
        """
        ...


def open_verifier(url: str) -> Verifier:
    """Open the verifier that `url` names: `sift:` is the only one.

    Raises:
        ConfigError: the URL is not of that form.
        StoreError: what the verifier needs is missing or damaged.
    """
    if url == "sift:":
        from arthur.verify.planes import PlaneVerifier

        return PlaneVerifier()
    raise ConfigError(f"verifier URL {url!r} is not sift:")
