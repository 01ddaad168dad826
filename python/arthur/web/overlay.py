"""A photo with the works that were found outlined on it."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

from PIL import Image, ImageDraw

from arthur.decode import ImageDecoder
from arthur.types import Match, Recognition

SIDE = 1024
"""Longest side of the picture, pixels."""
WIDTH = 5
COLOURS = {"match": "#12a150", "unsure": "#e8a100"}
QUALITY = 85


def overlay(pictures: Sequence[bytes], answer: Recognition) -> str | None:
    """Return a JPEG as a data URL: the frame that shows the best entry, each work in it outlined by its decision.

    None when geometry found no work. The pictures have been decoded before, so they can be.
    """
    found = [match for match in answer.matches if match.quad is not None and match.decision in COLOURS]
    if not found:
        return None
    frame = found[0].frame
    decoded = ImageDecoder()(pictures[frame], 8, preview_side=SIDE)
    if decoded.preview is None:
        return None
    image = Image.fromarray(decoded.preview)
    pen = ImageDraw.Draw(image)
    for match in reversed([match for match in found if match.frame == frame]):
        _outline(pen, match, image.width / decoded.width)
    encoded = io.BytesIO()
    image.save(encoded, "JPEG", quality=QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(encoded.getvalue()).decode()


def _outline(pen: ImageDraw.ImageDraw, match: Match, scale: float) -> None:
    corners = [(x * scale, y * scale) for x, y in match.quad or ()]
    pen.line([*corners, *corners[:2]], fill=COLOURS[match.decision], width=WIDTH, joint="curve")
