"""The preview shows the whole picture, comes from the same decode and is never enlarged."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pytest
from PIL import Image

from arthur.decode import ImageDecoder

MakePhoto: TypeAlias = Callable[..., Image.Image]
Encode: TypeAlias = Callable[..., bytes]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "JPEG2000"])
def test_a_preview_agrees_with_a_whole_decode(
    kind: str, decode: ImageDecoder, make_photo: MakePhoto, encode: Encode
) -> None:
    image = make_photo(1200, 800)
    preview = decode(encode(image, kind, **({"quality": 95} if kind == "JPEG" else {})), 64, preview_side=300).preview
    whole = np.asarray(image.resize((300, 200), Image.Resampling.BICUBIC)).astype(int)
    assert preview.shape == (200, 300, 3)
    assert np.abs(preview - whole).mean() < 2.5


@pytest.mark.parametrize("kind", ["JPEG", "JPEG2000"])
def test_a_small_picture_is_not_enlarged(
    kind: str, decode: ImageDecoder, make_photo: MakePhoto, encode: Encode
) -> None:
    assert decode(encode(make_photo(200, 100), kind), 64, preview_side=640).preview.shape == (100, 200, 3)


@pytest.mark.parametrize("kind", ["JPEG", "JPEG2000"])
def test_a_gray_preview_is_the_luma_of_the_coloured_one(
    kind: str, decode: ImageDecoder, make_photo: MakePhoto, encode: Encode
) -> None:
    data = encode(make_photo(640, 480), kind)
    coloured = decode(data, 64, preview_side=320).preview
    gray = decode(data, 64, preview_side=320, preview_gray=True).preview
    assert np.array_equal(gray, np.asarray(Image.fromarray(coloured).convert("L")))


def test_the_square_hardly_depends_on_the_preview(decode: ImageDecoder, make_photo: MakePhoto, encode: Encode) -> None:
    data = encode(make_photo(1500, 1000), "JPEG")
    alone = decode(data, 64).pixels.astype(int)
    assert np.abs(decode(data, 64, preview_side=1200).pixels - alone).mean() < 0.4
