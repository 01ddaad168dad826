"""Every format gives the picture that pillow-simd, decoding it whole, gives."""

from __future__ import annotations

import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from arthur.decode import ImageDecoder
from arthur.types import Fit, Pixels

Reference: TypeAlias = Callable[[bytes, int, str], NDArray[np.uint8]]
MakePhoto: TypeAlias = Callable[..., Image.Image]
Encode: TypeAlias = Callable[..., bytes]

FORMATS = {
    "jpeg": ("JPEG", {"quality": 90}),
    "jpeg without subsampling": ("JPEG", {"quality": 90, "subsampling": 0}),
    "jpeg progressive": ("JPEG", {"quality": 90, "progressive": True}),
    "jpeg with restarts": ("JPEG", {"quality": 90, "restart_marker_rows": 1}),
    "png": ("PNG", {}),
    "webp": ("WEBP", {"quality": 90}),
    "webp lossless": ("WEBP", {"lossless": True}),
    "gif": ("GIF", {}),
    "bmp": ("BMP", {}),
    "tiff": ("TIFF", {}),
    "tiff lzw": ("TIFF", {"compression": "tiff_lzw"}),
    "tiff deflate": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    "tiff jpeg": ("TIFF", {"compression": "jpeg"}),
    "tiff zstd": ("TIFF", {"compression": "zstd"}),
    "jpeg2000": ("JPEG2000", {}),
    "ppm": ("PPM", {}),
}
MODES = [
    ("JPEG", "L"),
    ("JPEG", "CMYK"),
    ("PNG", "L"),
    ("PNG", "P"),
    ("PNG", "LA"),
    ("PNG", "RGBA"),
    ("WEBP", "RGBA"),
    ("BMP", "L"),
    ("BMP", "P"),
    ("TIFF", "L"),
    ("TIFF", "P"),
    ("TIFF", "1"),
    ("TIFF", "RGBA"),
    ("TIFF", "CMYK"),
]
SIZES = [(37, 91), (224, 224), (500, 333), (901, 1201), (1600, 400)]


def apart(ours: Pixels, theirs: Pixels) -> tuple[float, int]:
    difference = np.abs(ours.astype(np.int16) - theirs)
    return difference.mean(), difference.max()


@pytest.mark.parametrize("fit", ["crop", "stretch"])
@pytest.mark.parametrize("name", FORMATS)
def test_a_format_agrees_with_a_whole_decode(
    name: str, fit: Fit, decode: ImageDecoder, reference: Reference, make_photo: MakePhoto, encode: Encode
) -> None:
    kind, options = FORMATS[name]
    data = encode(make_photo(1201, 901), kind, **options)
    mean, most = apart(decode(data, 128, fit=fit).pixels, reference(data, 128, fit))
    assert mean < 0.4
    assert most <= 6


@pytest.mark.parametrize(("kind", "mode"), MODES)
def test_a_mode_agrees_with_a_whole_decode(
    kind: str, mode: str, decode: ImageDecoder, reference: Reference, make_photo: MakePhoto, encode: Encode
) -> None:
    image = make_photo(700, 500)
    if mode.endswith("A"):
        image.putalpha(image.convert("L"))
    data = encode(image.convert(mode), kind)
    mean, most = apart(decode(data, 112).pixels, reference(data, 112, "crop"))
    assert mean < 0.4
    assert most <= 6


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_any_size_agrees_with_a_whole_decode(
    size: tuple[int, int], kind: str, decode: ImageDecoder, reference: Reference, make_photo: MakePhoto, encode: Encode
) -> None:
    data = encode(make_photo(*size), kind)
    mean, most = apart(decode(data, 160).pixels, reference(data, 160, "crop"))
    assert mean < 0.4
    assert most <= 6


@pytest.mark.parametrize("module", ["pillow_heif", "pillow_avif"])
def test_a_phone_format_agrees_with_a_whole_decode(
    module: str, decode: ImageDecoder, reference: Reference, make_photo: MakePhoto
) -> None:
    plugin = pytest.importorskip(module)
    kind = {"pillow_heif": "HEIF", "pillow_avif": "AVIF"}[module]
    if kind == "HEIF":
        plugin.register_heif_opener()
    target = BytesIO()
    make_photo(701, 500).save(target, kind)
    decoded = decode(target.getvalue(), 96)
    assert decoded.format == kind.lower()
    assert apart(decoded.pixels, reference(target.getvalue(), 96, "crop"))[0] < 0.4


@pytest.mark.parametrize("size", [(300, 200), (200, 300), (197, 161), (640, 481)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("fit", ["crop", "stretch"])
def test_an_unscaled_decode_gives_the_very_samples(
    size: tuple[int, int],
    kind: str,
    fit: Fit,
    decode: ImageDecoder,
    make_photo: MakePhoto,
    encode: Encode,
    reference: Reference,
) -> None:
    data = encode(make_photo(*size), kind)
    assert np.array_equal(decode(data, 160, fit=fit).pixels, reference(data, 160, fit))


@pytest.mark.parametrize("depth", ["I;16", "RGB;16"])
def test_sixteen_bits_keep_their_high_byte(depth: str, decode: ImageDecoder) -> None:
    import cv2

    ramp = np.linspace(0, 65535, 300).astype(np.uint16)[None, :].repeat(200, 0)
    _, png = cv2.imencode(".png", ramp if depth == "I;16" else np.dstack([ramp] * 3))
    decoded = decode(png.tobytes(), 64, fit="stretch")
    assert np.abs(decoded.pixels[32, :, 0] - np.linspace(0, 255, 64)).max() < 3


def test_an_interlaced_png_equals_a_plain_one(
    decode: ImageDecoder, make_photo: MakePhoto, encode: Encode, interlaced_png: Callable[[Pixels], bytes]
) -> None:
    image = make_photo(133, 77)
    plain = decode(encode(image, "PNG"), 64).pixels
    assert np.array_equal(decode(interlaced_png(np.asarray(image)), 64).pixels, plain)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_the_first_frame_of_an_animation_is_decoded(kind: str, decode: ImageDecoder, encode: Encode) -> None:
    frames = [Image.new("RGB", (90, 60), color) for color in ("red", "blue", "lime")]
    data = encode(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True)
    assert np.abs(decode(data, 32).pixels.astype(int) - (255, 0, 0)).max() <= 2


def test_transparent_pixels_are_white(decode: ImageDecoder, encode: Encode) -> None:
    data = encode(Image.new("RGBA", (50, 50), (10, 20, 30, 0)), "PNG")
    assert (decode(data, 16).pixels == 255).all()


def test_a_gif_frame_smaller_than_its_canvas_lies_on_white(decode: ImageDecoder, gif_with_offset_frame: bytes) -> None:
    pixels = decode(gif_with_offset_frame, 8, fit="stretch").pixels
    assert (pixels[0, 0] == 255).all()
    assert pixels[6, 6].tolist() == [255, 0, 0]


def test_the_answer_says_what_was_decoded(make_photo: MakePhoto, encode: Encode) -> None:
    decoded = ImageDecoder()(encode(make_photo(320, 200), "PNG"), 64)
    assert (decoded.width, decoded.height, decoded.format) == (320, 200, "png")
    assert decoded.pixels.shape == (64, 64, 3)
    assert decoded.pixels.flags.c_contiguous
    assert decoded.preview is None


def test_threads_may_share_a_decoder(decode: ImageDecoder, make_photo: MakePhoto, encode: Encode) -> None:
    files = [encode(make_photo(301, 200), kind) for kind in ("JPEG", "PNG", "WEBP", "TIFF")] * 6
    alone = [decode(data, 48).pixels for data in files]
    with ThreadPoolExecutor(4) as pool:
        together = [decoded.pixels for decoded in pool.map(lambda data: decode(data, 48), files)]
    assert np.array_equal(alone, together)


def test_a_photoshop_document_shows_its_merged_picture(decode: ImageDecoder, make_photo: MakePhoto) -> None:
    image = make_photo(120, 80)
    header = struct.pack(">4sH6xHIIHH", b"8BPS", 1, 3, 80, 120, 8, 3)
    planes = np.asarray(image).transpose(2, 0, 1).tobytes()
    decoded = decode(header + bytes(12) + bytes(2) + planes, 32, fit="stretch")
    assert decoded.format == "psd"
    assert np.array_equal(decoded.pixels, np.asarray(image.resize((32, 32), Image.Resampling.BICUBIC)))
