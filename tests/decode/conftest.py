"""Pictures made by programme: photo-like, from a seed, in any format Pillow writes."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from arthur.decode import ImageDecoder

Reference: TypeAlias = Callable[[bytes, int, str], NDArray[np.uint8]]


def photo(width: int, height: int, seed: int = 0) -> Image.Image:
    """Return an RGB picture with the spectrum of a photo, a few hard edges and some grain."""
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
