"""Colours come out as sRGB, as LittleCMS would convert them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from arthur.decode import ImageDecoder

Reference: TypeAlias = Callable[[bytes, int, str], NDArray[np.uint8]]
MakePhoto: TypeAlias = Callable[..., Image.Image]
Encode: TypeAlias = Callable[..., bytes]


@pytest.fixture(scope="module")
def profiles(gray_profile: bytes, display_p3_profile: bytes) -> dict[str, bytes]:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return {"srgb": srgb, "p3": display_p3_profile, "gray": gray_profile}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_display_p3_does_not_shift(
    kind: str,
    decode: ImageDecoder,
    reference: Reference,
    make_photo: MakePhoto,
    encode: Encode,
    profiles: dict[str, bytes],
) -> None:
    options = {"lossless": True} if kind == "WEBP" else {"quality": 92}
    data = encode(make_photo(640, 480), kind, icc_profile=profiles["p3"], **options)
    difference = np.abs(decode(data, 96).pixels.astype(int) - reference(data, 96, "crop"))
    assert difference.mean() < 0.6
    assert difference.max() <= 10


def test_display_p3_is_not_taken_for_srgb(
    decode: ImageDecoder, make_photo: MakePhoto, encode: Encode, profiles: dict[str, bytes]
) -> None:
    image = make_photo(640, 480)
    plain = decode(encode(image, "PNG"), 96).pixels.astype(int)
    assert np.abs(decode(encode(image, "PNG", icc_profile=profiles["p3"]), 96).pixels - plain).mean() > 1.5


def test_a_gray_profile_is_applied(
    decode: ImageDecoder, reference: Reference, make_photo: MakePhoto, encode: Encode, profiles: dict[str, bytes]
) -> None:
    data = encode(make_photo(640, 480).convert("L"), "JPEG", icc_profile=profiles["gray"], quality=92)
    difference = np.abs(decode(data, 96).pixels.astype(int) - reference(data, 96, "crop"))
    assert difference.mean() < 0.8


def test_an_srgb_profile_changes_nothing(
    decode: ImageDecoder, make_photo: MakePhoto, encode: Encode, profiles: dict[str, bytes]
) -> None:
    image = make_photo(640, 480)
    plain = decode(encode(image, "PNG"), 96).pixels.astype(int)
    assert np.abs(decode(encode(image, "PNG", icc_profile=profiles["srgb"]), 96).pixels - plain).max() <= 1


@pytest.mark.parametrize("profile", [b"x", b"\0" * 128, b"acsp" * 400])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "JPEG2000"])
def test_a_broken_profile_is_ignored(
    kind: str, profile: bytes, decode: ImageDecoder, make_photo: MakePhoto, encode: Encode
) -> None:
    image = make_photo(200, 150)
    plain = decode(encode(image, kind), 64).pixels
    assert np.array_equal(decode(encode(image, kind, icc_profile=profile), 64).pixels, plain)


def test_a_truncated_profile_is_ignored(
    decode: ImageDecoder, make_photo: MakePhoto, encode: Encode, profiles: dict[str, bytes]
) -> None:
    image = make_photo(200, 150)
    plain = decode(encode(image, "PNG"), 64).pixels.astype(int)
    cut = decode(encode(image, "PNG", icc_profile=profiles["p3"][:-40]), 64).pixels
    assert np.abs(cut - plain).mean() < 20
