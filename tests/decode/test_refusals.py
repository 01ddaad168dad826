"""What is no whole picture is refused with a sentence; what every viewer opens is not."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TypeAlias

import pytest
from PIL import Image

from arthur.decode import ImageDecoder
from arthur.errors import InvalidImage, UnsupportedImage

MakePhoto: TypeAlias = Callable[..., Image.Image]
Encode: TypeAlias = Callable[..., bytes]

NO_PICTURES = {
    "nothing": b"",
    "one byte": b"\xff",
    "text": b"a photo of a painting",
    "html": b"<!doctype html><html><body>404</body></html>",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "pdf": b"%PDF-1.7\n%\xe2\xe3",
    "archive": b"PK\x03\x04" + bytes(60),
    "zeros": bytes(1000),
    "jpeg signature": b"\xff\xd8\xff",
    "png signature": b"\x89PNG\r\n\x1a\n",
    "webp signature": b"RIFF\x04\0\0\0WEBP",
    "gif signature": b"GIF89a",
    "tiff signature": b"II*\0",
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "heif signature": b"\0\0\0\x18ftypheic",
    "avif signature": b"\0\0\0\x1cftypavif",
    "psd signature": b"8BPS\0\1",
    "jpeg2000 signature": b"\xff\x4f\xff\x51",
}
TRUNCATED = ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "JPEG2000"]


@pytest.mark.parametrize("name", NO_PICTURES)
def test_what_is_no_picture_is_refused(name: str, decode: ImageDecoder) -> None:
    with pytest.raises(InvalidImage) as refused:
        decode(NO_PICTURES[name], 32)
    assert 10 < len(str(refused.value)) < 200


@pytest.mark.parametrize("kind", TRUNCATED)
@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.5, 0.8, 0.95])
def test_a_truncated_picture_is_refused(
    kind: str, share: float, decode: ImageDecoder, make_photo: MakePhoto, encode: Encode
) -> None:
    data = encode(make_photo(301, 200), kind)
    with pytest.raises(InvalidImage):
        decode(data[: int(len(data) * share)], 32)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}])
def test_a_jpeg_without_its_middle_is_refused(
    options: dict[str, object], decode: ImageDecoder, make_photo: MakePhoto, encode: Encode
) -> None:
    data = encode(make_photo(301, 200), "JPEG", **options)
    with pytest.raises(InvalidImage):
        decode(data[: len(data) // 3] + data[-2:], 32)


def test_a_progressive_jpeg_without_its_last_scans_is_refused(
    decode: ImageDecoder, make_photo: MakePhoto, encode: Encode
) -> None:
    data = encode(make_photo(301, 200), "JPEG", progressive=True)
    last_scan = data.rindex(b"\xff\xda")
    with pytest.raises(InvalidImage):
        decode(data[:last_scan], 32)


def test_the_content_decides_not_the_name(decode: ImageDecoder, encode: Encode) -> None:
    gif_called_jpeg = encode(Image.new("RGB", (20, 20)), "GIF")
    assert decode(gif_called_jpeg, 8).format == "gif"


def test_a_picture_followed_by_an_archive_is_only_a_picture(decode: ImageDecoder, encode: Encode) -> None:
    assert decode(encode(Image.new("RGB", (20, 20)), "JPEG") + b"PK\x03\x04" + bytes(99), 8).format == "jpeg"


def test_padding_after_the_last_scan_is_harmless(decode: ImageDecoder, make_photo: MakePhoto, encode: Encode) -> None:
    data = encode(make_photo(301, 200), "JPEG")
    padded = data[:-2] + bytes(40) + data[-2:]
    assert (decode(padded, 32).pixels == decode(data, 32).pixels).all()


def test_bytes_between_segments_are_harmless(decode: ImageDecoder, make_photo: MakePhoto, encode: Encode) -> None:
    data = encode(make_photo(301, 200), "JPEG")
    tables = data.index(b"\xff\xdb")
    assert (decode(data[:tables] + bytes(7) + data[tables:], 32).pixels == decode(data, 32).pixels).all()


def test_a_missing_end_marker_is_harmless(decode: ImageDecoder, make_photo: MakePhoto, encode: Encode) -> None:
    data = encode(make_photo(301, 200), "JPEG")
    assert (decode(data[:-2], 32).pixels == decode(data, 32).pixels).all()


def test_twelve_bits_are_refused_by_name(decode: ImageDecoder, make_photo: MakePhoto, encode: Encode) -> None:
    data = bytearray(encode(make_photo(64, 64), "JPEG"))
    data[data.index(b"\xff\xc0") + 4] = 12
    with pytest.raises(UnsupportedImage, match="12 bits"):
        decode(bytes(data), 8)


def test_lossless_jpeg_is_refused_by_name(decode: ImageDecoder, make_photo: MakePhoto, encode: Encode) -> None:
    data = bytearray(encode(make_photo(64, 64), "JPEG"))
    data[data.index(b"\xff\xc0") + 1] = 0xC3
    with pytest.raises(UnsupportedImage, match="lossless"):
        decode(bytes(data), 8)


def test_a_picture_of_no_height_is_refused(decode: ImageDecoder, make_photo: MakePhoto, encode: Encode) -> None:
    data = bytearray(encode(make_photo(64, 64), "JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 2] = struct.pack(">H", 0)
    with pytest.raises(InvalidImage, match="empty"):
        decode(bytes(data), 8)


def test_a_harmless_fault_does_not_hide_a_missing_middle(
    decode: ImageDecoder, make_photo: MakePhoto, encode: Encode
) -> None:
    data = encode(make_photo(301, 200), "JPEG")
    tables = data.index(b"\xff\xdb")
    with pytest.raises(InvalidImage, match="premature"):
        decode(data[:tables] + bytes(7) + data[tables : len(data) // 2] + data[-2:], 32)


def test_an_odd_version_of_jfif_is_harmless(decode: ImageDecoder, make_photo: MakePhoto, encode: Encode) -> None:
    data = bytearray(encode(make_photo(301, 200), "JPEG"))
    plain = decode(bytes(data), 32).pixels
    data[data.index(b"JFIF") + 5] = 3
    assert (decode(bytes(data), 32).pixels == plain).all()
