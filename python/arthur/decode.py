"""Pictures to arrays: the Rust decoders first, pillow-simd for the formats they do not read.

Both sides keep the same promises: headers are held against the limits before pixels are allocated, a damaged or
truncated picture is an error and never half a picture, and the content alone decides the format.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps
from PIL.ImageFile import ImageFile

from arthur._native import Decoder, crop_box
from arthur.errors import ImageTooLarge, InvalidImage, UnsupportedImage
from arthur.types import Fit, Pixels


@dataclass(frozen=True, slots=True)
class Limits:
    """Largest accepted picture: encoded bytes, and width times height in pixels."""

    max_bytes: int = 25 * 2**20
    max_pixels: int = 100_000_000


@dataclass(frozen=True, slots=True)
class Decoded:
    """What an ImageDecoder makes of a picture.

    Attributes:
        pixels: (side, side, 3) uint8 sRGB.
        preview: (h, w, 3) uint8 sRGB or (h, w) uint8 luma of the whole picture; None when none was asked for.
        width, height: of the whole picture upright, pixels.
        format: "jpeg", "png", "webp", "gif", "bmp", "tiff", "heif", "avif", "jpeg2000", "psd" or "ppm".
    """

    pixels: Pixels
    preview: NDArray[np.uint8] | None
    width: int
    height: int
    format: str


@dataclass(frozen=True, slots=True)
class _Reader:
    """One format that pillow-simd reads.

    Attributes:
        name: as in `Decoded.format`.
        matches: whether these first bytes are of the format.
        open: parses the header; pixels are decoded when the image is loaded.
        pixel_bytes: memory its decoder needs per pixel.
    """

    name: str
    matches: Callable[[bytes], bool]
    open: Callable[[BytesIO], ImageFile]
    pixel_bytes: int


@dataclass(frozen=True, slots=True)
class _Request:
    side: int
    fit: Fit
    preview_side: int
    preview_gray: bool


class ImageDecoder:
    """Decodes pictures within limits. Thread-safe; the work is done without the GIL."""

    def __init__(self, limits: Limits = Limits()) -> None:
        self._limits = limits
        self._native = Decoder(max_bytes=limits.max_bytes, max_pixels=limits.max_pixels)

    def __call__(
        self, data: bytes, side: int, *, fit: Fit = "crop", preview_side: int = 0, preview_gray: bool = False
    ) -> Decoded:
        """Decode a picture to a square and, from the same decode, a preview of the whole.

        Args:
            data: the encoded picture.
            side: edge of the square, pixels, 1..8192.
            fit: how the picture becomes a square.
            preview_side: longest side of the preview, pixels, 0..8192; 0 makes none; never enlarged.
            preview_gray: one channel of luma instead of RGB.

        Raises:
            InvalidImage: no picture, or one that is damaged or cut short.
            ImageTooLarge: a limit is exceeded.
            UnsupportedImage: not a picture of a format that is read.
            BadRequest: `side`, `preview_side` or `fit` is out of range.
        """
        try:
            return Decoded(
                *self._native.decode(data, side, fit=fit, preview_side=preview_side, preview_gray=preview_gray)
            )
        except UnsupportedImage as unsupported:
            reader = next((reader for reader in _readers() if reader.matches(data[:64])), None)
            if reader is None:
                raise
            return self._decode_with_pillow(data, reader, _Request(side, fit, preview_side, preview_gray), unsupported)

    def _decode_with_pillow(
        self, data: bytes, reader: _Reader, request: _Request, unsupported: UnsupportedImage
    ) -> Decoded:
        try:
            with reader.open(BytesIO(data)) as image:
                self._check_size(image, reader)
                image.load()
                return _render(image, request, reader.name)
        except InvalidImage:
            raise
        except ImportError as missing:
            raise unsupported from missing
        except Exception as error:  # plugins are Python and raise anything on hostile bytes
            raise InvalidImage(f"the {reader.name} picture is damaged or cut short") from error

    def _check_size(self, image: ImageFile, reader: _Reader) -> None:
        pixels = image.width * image.height
        if pixels == 0:
            raise InvalidImage(f"the picture is empty: {image.width} x {image.height} pixels")
        if pixels > self._limits.max_pixels:
            most = self._limits.max_pixels
            raise ImageTooLarge(f"the picture has {image.width} x {image.height} pixels, more than the {most} allowed")
        if pixels * reader.pixel_bytes > _MAX_BUFFER_BYTES:
            raise ImageTooLarge(
                f"decoding the picture takes {pixels * reader.pixel_bytes >> 20} MiB, "
                f"more than the {_MAX_BUFFER_BYTES >> 20} allowed"
            )


_MAX_BUFFER_BYTES = 768 << 20


def _readers() -> tuple[_Reader, ...]:
    """Every format left to pillow-simd.

    Each plugin is called by its class rather than through `Image.open`: nothing is registered, and no plugin that is
    not named here, such as the one that runs Ghostscript, ever sees the bytes.
    """
    return (
        _Reader("avif", lambda head: head[4:12] in _AVIF, _open_avif, 8),
        _Reader("heif", lambda head: head[4:8] == b"ftyp" and head[8:12] in _HEIF, _open_heif, 8),
        _Reader("jpeg2000", lambda head: head.startswith(_JPEG2000), _open_jpeg2000, 20),
        _Reader("psd", lambda head: head.startswith(b"8BPS\0\1"), _open_psd, 8),
        _Reader("tiff", lambda head: head.startswith(_TIFF), _open_tiff, 8),
        _Reader("bmp", lambda head: head.startswith(b"BM"), _open_bmp, 8),
        _Reader("ppm", lambda head: head[:2] in _PPM and head[2:3].isspace(), _open_ppm, 8),
    )


_AVIF = (b"ftypavif", b"ftypavis")
_HEIF = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_JPEG2000 = (b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  \r\n\x87\n")
_PPM = (b"P4", b"P5", b"P6")  # the kinds written as text are decoded in Python: seconds for a megapixel
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def _open_avif(source: BytesIO) -> ImageFile:
    from pillow_avif.AvifImagePlugin import AvifImageFile

    image: ImageFile = AvifImageFile(source)
    return image


def _open_heif(source: BytesIO) -> ImageFile:
    from pillow_heif import HeifImageFile

    return HeifImageFile(source)  # type: ignore[no-untyped-call]  # pillow-heif leaves it untyped


def _open_jpeg2000(source: BytesIO) -> ImageFile:
    from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

    return Jpeg2KImageFile(source)


def _open_psd(source: BytesIO) -> ImageFile:
    from PIL.PsdImagePlugin import PsdImageFile

    return PsdImageFile(source)


def _open_tiff(source: BytesIO) -> ImageFile:
    from PIL.TiffImagePlugin import TiffImageFile

    return TiffImageFile(source)


def _open_bmp(source: BytesIO) -> ImageFile:
    from PIL.BmpImagePlugin import BmpImageFile

    return BmpImageFile(source)


def _open_ppm(source: BytesIO) -> ImageFile:
    from PIL.PpmImagePlugin import PpmImageFile

    return PpmImageFile(source)


def _render(image: Image.Image, request: _Request, name: str) -> Decoded:
    profile = image.info.get("icc_profile")
    opaque = _opaque(ImageOps.exif_transpose(image))
    box = crop_box(opaque.width, opaque.height, request.side, request.fit)
    square = opaque.resize((request.side, request.side), Image.Resampling.BICUBIC, box=box)
    preview = _preview(opaque, request, profile) if request.preview_side else None
    return Decoded(np.array(_srgb(square, profile)), preview, opaque.width, opaque.height, name)


def _preview(opaque: Image.Image, request: _Request, profile: bytes | None) -> NDArray[np.uint8]:
    scale = min(1.0, request.preview_side / max(opaque.size))
    size = (max(1, round(opaque.width * scale)), max(1, round(opaque.height * scale)))
    small = _srgb(opaque.resize(size, Image.Resampling.BICUBIC), profile)
    return np.array(small.convert("L") if request.preview_gray else small)


def _opaque(image: Image.Image) -> Image.Image:
    """Return the image as L, RGB or CMYK, transparency laid over white."""
    if image.mode in {"L", "RGB", "CMYK"}:
        return image
    if image.mode.startswith("I"):
        samples = np.asarray(image).astype(np.int64)
        return Image.fromarray(
            (samples >> 8 if samples.max(initial=0) > 255 else samples).clip(0, 255).astype(np.uint8)
        )
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")
    return image.convert("RGB")


def _srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        try:
            return _converted(image, profile)
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a broken profile, or one for other channels, counts as absent: viewers show such pictures
    return image.convert("RGB")


def _converted(image: Image.Image, profile: bytes) -> Image.Image:
    source = ImageCms.ImageCmsProfile(BytesIO(profile))
    converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    return image.convert("RGB") if converted is None else converted
