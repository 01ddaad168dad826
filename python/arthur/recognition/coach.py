"""What the photographer could do better, told from the photo that gave no match."""

from __future__ import annotations

import cv2
import numpy as np

from arthur.recognition.geometry import Gray, Rgb, luma, shrunk
from arthur.recognition.sighting import Sighting

BLURRED = "the photo is too blurred: hold still, or let the camera focus"
DARK = "the photo is too dark"
GLARE = "glare or too much light hides part of the work: step aside"
CLOSER = "step closer: the work is small in the photo"
PLAIN = "the photo shows hardly any detail"

SIDE = 320
"""Longest side at which a photo is judged, so that limits do not depend on the camera."""
SHARP = 30.0
"""Variance of the Laplacian below which a photo with detail counts as blurred."""
DETAIL = 12.0
"""Standard deviation of the luma below which there is nothing to be sharp."""
BLACK, WHITE = 40, 250
DARK_SHARE, GLARE_SHARE = 0.8, 0.2
SMALL = 0.08
"""Share of the photo that a work covers at least when it is near enough."""


def advice(preview: Rgb | None, best: Sighting | None) -> list[str]:
    """Return sentences for the photographer, most helpful first; none when the photo looks good or was not kept.

    Args:
        preview: (h, w, 3) uint8 RGB of the photo.
        best: the entry that came nearest.
    """
    if preview is None:
        return []
    gray = shrunk(luma(preview), SIDE)
    findings = [_light(gray), _sharpness(gray), _distance(preview, best)]
    return [finding for finding in findings if finding is not None]


def _light(gray: Gray) -> str | None:
    if np.mean(gray < BLACK) > DARK_SHARE:
        return DARK
    return GLARE if np.mean(gray >= WHITE) > GLARE_SHARE else None


def _sharpness(gray: Gray) -> str | None:
    if gray.std() < DETAIL:
        return PLAIN
    return BLURRED if cv2.Laplacian(gray, cv2.CV_32F).var() < SHARP else None


def _distance(preview: Rgb, best: Sighting | None) -> str | None:
    if best is None or best.corners is None:
        return None
    share = float(cv2.contourArea(best.corners)) / (preview.shape[0] * preview.shape[1])
    return CLOSER if share < SMALL else None
