"""Pictures stand upright whatever way their camera stored them."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from arthur.decode import ImageDecoder

Reference: TypeAlias = Callable[[bytes, int, str], NDArray[np.uint8]]
MakePhoto: TypeAlias = Callable[..., Image.Image]
Encode: TypeAlias = Callable[..., bytes]


def turned(image: Image.Image, orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_every_orientation_is_undone(
    kind: str, orientation: int, decode: ImageDecoder, reference: Reference, make_photo: MakePhoto, encode: Encode
) -> None:
    image = make_photo(500, 300)
    data = encode(image, kind, exif=turned(image, orientation), **({"lossless": True} if kind == "WEBP" else {}))
    decoded = decode(data, 64, preview_side=100)
    upright = ImageOps.exif_transpose(Image.open(BytesIO(data)))
    assert (decoded.width, decoded.height) == upright.size
    assert decoded.preview.shape[:2] == (60, 100) if orientation < 5 else (100, 60)
    assert np.abs(decoded.pixels.astype(int) - reference(data, 64, "crop")).mean() < 0.4


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_phones_heif_is_turned_as_pillow_turns_it(
    orientation: int, decode: ImageDecoder, reference: Reference, make_photo: MakePhoto, encode: Encode
) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.register_heif_opener()
    image = make_photo(500, 300)
    data = encode(image, "HEIF", exif=turned(image, orientation).tobytes())
    assert np.abs(decode(data, 64).pixels.astype(int) - reference(data, 64, "crop")).mean() < 0.4


def test_xmp_counts_where_exif_says_nothing(decode: ImageDecoder, make_photo: MakePhoto, encode: Encode) -> None:
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    decoded = decode(encode(make_photo(300, 200), "JPEG", xmp=packet), 64)
    assert (decoded.width, decoded.height) == (200, 300)


@pytest.mark.parametrize(
    "garbage", [b"", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"]
)
def test_unreadable_exif_is_upright(
    garbage: bytes, decode: ImageDecoder, make_photo: MakePhoto, encode: Encode
) -> None:
    decoded = decode(encode(make_photo(300, 200), "JPEG", exif=garbage), 64)
    assert (decoded.width, decoded.height) == (300, 200)
