"""The Rust extension. Every call releases the GIL while it works and may be made from any thread."""

import numpy as np
from numpy.typing import NDArray

__version__: str
DEBUG_BUILD: bool

class Decoder:
    """Decodes JPEG, PNG, WebP, GIF, BMP and TIFF within limits. Immutable."""

    def __init__(self, *, max_bytes: int, max_pixels: int) -> None: ...
    def decode(
        self, data: bytes, side: int, *, fit: str, preview_side: int, preview_gray: bool
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None, int, int, str]:
        """Decode a picture whole or not at all.

        Args:
            data: the encoded picture; read while the GIL is released.
            side: edge of the square, pixels, 1..8192.
            fit: "crop" or "stretch".
            preview_side: longest side of the preview, pixels, 0..8192; 0 makes none; never enlarged.
            preview_gray: one channel of luma instead of RGB.

        Returns:
            The square (side, side, 3) uint8 sRGB; the preview (h, w, 3) or (h, w) uint8, or None; width and height of
            the whole picture upright; the name of its format. The arrays are new and C-contiguous.

        Raises:
            InvalidImage: no picture, or one that is damaged or cut short.
            ImageTooLarge: a limit is exceeded.
            UnsupportedImage: may be a picture, but of a kind that is not read here.
            BadRequest: a side or `fit` is out of range.
        """

def crop_box(width: int, height: int, side: int, fit: str) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom, in pixels, of the part of an upright picture that becomes the square.

    Raises:
        BadRequest: `fit` is neither "crop" nor "stretch".
    """
