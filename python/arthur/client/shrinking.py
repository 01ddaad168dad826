"""Making big photos smaller before they are sent: recognition needs no more pixels than the server looks at."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from arthur.client.pictures import Source
from arthur.errors import ConfigError

if TYPE_CHECKING:
    from PIL import Image

_QUALITY = 90
_ORIENTATION = 0x0112
_SIDEWAYS = (5, 6, 7, 8)
_PHOTOS = ("RGB", "L")


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A picture for the way, and how many pixels of the given one one of its stands for: across and down, upright."""

    source: Source
    scale: tuple[float, float] = (1.0, 1.0)


def shrink(source: Source, side: int) -> Shrunk:
    """Return a JPEG of a photo whose longer side has `side` pixels, with its EXIF orientation and colour profile.

    What is small enough, has transparency or several frames, or cannot be read by Pillow is returned as it is: what to
    say of it is the server's.

    Raises:
        ConfigError: Pillow is not installed.
        OSError: the file cannot be opened.
    """
    try:
        from PIL import Image  # only who asks for it pays for it
    except ImportError as error:
        raise ConfigError("`resize` needs Pillow: pip install pillow") from error
    unreadable = (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning)
    with source.open() as file:
        try:
            whole = io.BytesIO(file.read()) if file.tell() else file  # Pillow begins at the file's beginning
            return _smaller(Image.open(whole), source, side)
        except unreadable:
            return Shrunk(source)


def _smaller(image: Image.Image, source: Source, side: int) -> Shrunk:
    width, height = image.size
    if max(width, height) <= side or image.mode not in _PHOTOS or getattr(image, "is_animated", False):
        return Shrunk(source)
    orientation = image.getexif().get(_ORIENTATION, 1)
    profile = image.info.get("icc_profile")
    image.thumbnail((side, side))
    exif = image.getexif()
    exif.clear()  # a photo's place and camera are nobody's business
    exif[_ORIENTATION] = orientation
    out = io.BytesIO()
    image.save(out, "JPEG", quality=_QUALITY, exif=exif, icc_profile=profile)
    across, down = width / image.width, height / image.height
    return Shrunk(Source(data=out.getvalue()), (down, across) if orientation in _SIDEWAYS else (across, down))
