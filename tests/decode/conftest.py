"""Pictures made by programme: photo-like, from a seed, in any format Pillow writes."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from arthur.decode import ImageDecoder

Reference: TypeAlias = Callable[[bytes, int, str], NDArray[np.uint8]]


PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def photo(width: int, height: int) -> Image.Image:
    """Return an RGB picture with the spectrum of a photo, a few hard edges and some grain."""
    return _photo(width, height).copy()


@cache
def _photo(width: int, height: int, seed: int = 0) -> Image.Image:
    random = np.random.default_rng(seed)
    layers = np.zeros((height, width, 3), np.float32)
    for power in range(1, 8):
        knots = random.normal(size=(2**power, 2**power, 3)).astype(np.float32)
        for channel in range(3):
            layer = Image.fromarray(knots[:, :, channel]).resize((width, height), Image.Resampling.BICUBIC)
            layers[:, :, channel] += np.asarray(layer) * (40 / 1.6**power)
    y, x = np.mgrid[:height, :width]
    layers[(x // max(1, width // 9) + y // max(1, height // 7)) % 4 == 0] += 35
    layers += random.normal(scale=3, size=layers.shape)
    return Image.fromarray((layers + 120).clip(0, 255).astype(np.uint8))


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """Return the image as a file of this format."""
    target = BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def opened(data: bytes) -> Image.Image:
    """Return what pillow-simd makes of a file: whole, upright, over white, in sRGB."""
    image = ImageOps.exif_transpose(Image.open(BytesIO(data)))
    profile = image.info.get("icc_profile")
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered)
    if profile and image.mode in {"L", "RGB", "CMYK"}:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        return converted or image
    return image.convert("RGB")


def squared(image: Image.Image, side: int, fit: str) -> NDArray[np.uint8]:
    """Return the square as torchvision's Resize and CenterCrop make it, on the whole picture."""
    if fit == "stretch":
        return np.asarray(image.resize((side, side), Image.Resampling.BICUBIC))
    shorter = min(image.size)
    width, height = (int(side * length / shorter) for length in image.size)
    left, top = round((width - side) / 2), round((height - side) / 2)
    resized = image.resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(resized.crop((left, top, left + side, top + side)))


def chunk(name: bytes, body: bytes) -> bytes:
    """Return a PNG chunk."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def interlaced(pixels: NDArray[np.uint8]) -> bytes:
    """Return an Adam7 PNG of (h, w, 3) pixels; Pillow only reads those."""
    height, width = pixels.shape[:2]
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    rows = [row for x, y, dx, dy in passes for row in pixels[y::dy, x::dx] if row.size]
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 1)
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    return PNG_SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def curved_profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Return a version 2 display profile of these tags."""
    table, body = b"", b""
    for name, tag in tags.items():
        table += name + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(body), len(tag))
        body += tag + bytes(-len(tag) % 4)
    rest = struct.pack(">I", len(tags)) + table + body
    white = struct.pack(">III", 63190, 65536, 54061)
    header = struct.pack(">I4sI4s4s4s", 128 + len(rest), b"test", 0x02400000, b"mntr", space, b"XYZ ")
    return (header + bytes(12) + b"acsp" + bytes(28) + white).ljust(128, b"\0") + rest


def xyz(*values: float) -> bytes:
    """Return an XYZ tag."""
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def gamma(value: float) -> bytes:
    """Return a curve tag."""
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(value * 256))


@pytest.fixture(scope="session")
def display_p3_profile() -> bytes:
    white, curve = xyz(0.9642, 1.0, 0.8249), gamma(2.2)
    colorants = {
        b"rXYZ": xyz(0.51512, 0.24120, -0.00105),
        b"gXYZ": xyz(0.29198, 0.69225, 0.04189),
        b"bXYZ": xyz(0.15710, 0.06657, 0.78407),
    }
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    return curved_profile(b"RGB ", {b"wtpt": white, **colorants, **curves})


@pytest.fixture(scope="session")
def gray_profile() -> bytes:
    return curved_profile(b"GRAY", {b"wtpt": xyz(0.9642, 1.0, 0.8249), b"kTRC": gamma(1.8)})


@pytest.fixture(scope="session")
def interlaced_png() -> Callable[[NDArray[np.uint8]], bytes]:
    return interlaced


@pytest.fixture(scope="session")
def gif_with_offset_frame() -> bytes:
    """Return a canvas of 8 x 8 whose only frame, red, fills the lower right 4 x 4."""
    target = BytesIO()
    Image.new("RGB", (4, 4), "red").quantize(2).save(target, "GIF")
    data = bytearray(target.getvalue())
    data[6:10] = struct.pack("<HH", 8, 8)
    frame = data.index(b",", 13 + 3 * 2 ** ((data[10] & 7) + 1))
    data[frame + 1 : frame + 5] = struct.pack("<HH", 4, 4)
    return bytes(data)


@pytest.fixture(scope="session")
def decode() -> ImageDecoder:
    return ImageDecoder()


@pytest.fixture(scope="session")
def reference() -> Reference:
    return lambda data, side, fit: squared(opened(data), side, fit)


@pytest.fixture(scope="session")
def make_photo() -> Callable[..., Image.Image]:
    return photo


@pytest.fixture(scope="session")
def encode() -> Callable[..., bytes]:
    return encoded
