"""Limits hold on what headers say, before pixels are allocated."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest
from PIL import Image

from arthur.decode import ImageDecoder, Limits
from arthur.errors import BadRequest, ImageTooLarge

Encode: TypeAlias = Callable[..., bytes]

KINDS = ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "JPEG2000", "PPM"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_of_too_many_pixels_is_refused(kind: str, encode: Encode) -> None:
    data = encode(Image.new("RGB", (100, 101)), kind)
    with pytest.raises(ImageTooLarge, match="100 x 101"):
        ImageDecoder(Limits(max_pixels=10_000))(data, 32)


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_at_the_limit_is_decoded(kind: str, encode: Encode) -> None:
    data = encode(Image.new("RGB", (100, 100)), kind)
    decoded = ImageDecoder(Limits(max_bytes=len(data), max_pixels=10_000))(data, 32)
    assert (decoded.width, decoded.height) == (100, 100)


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_of_too_many_bytes_is_refused(kind: str, encode: Encode) -> None:
    data = encode(Image.new("RGB", (100, 100)), kind)
    with pytest.raises(ImageTooLarge, match="bytes"):
        ImageDecoder(Limits(max_bytes=len(data) - 1))(data, 32)


@pytest.mark.parametrize("side", [0, 8193])
def test_a_senseless_side_is_refused(side: int, decode: ImageDecoder, encode: Encode) -> None:
    with pytest.raises(BadRequest):
        decode(encode(Image.new("RGB", (10, 10)), "PNG"), side)


def test_an_unknown_fit_is_refused(decode: ImageDecoder, encode: Encode) -> None:
    with pytest.raises(BadRequest, match="fit"):
        decode(encode(Image.new("RGB", (10, 10)), "PNG"), 8, fit="squeeze")
