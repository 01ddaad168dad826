"""Mild distortions of a picture, as re-uploads and careful photos show them."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageFilter


def distort(picture: Image.Image, seed: int) -> bytes:
    """Return a JPEG of quality 60: 5 % cropped, resized, slightly blurred, its colours slightly shifted."""
    chance = np.random.default_rng(seed)
    rgb = picture.convert("RGB")
    left, top = chance.uniform(0, 0.05, 2) * rgb.size
    box = (left, top, left + 0.95 * rgb.width, top + 0.95 * rgb.height)
    scale = chance.uniform(0.6, 0.9)
    size = (max(32, int(rgb.width * scale)), max(32, int(rgb.height * scale)))
    small = rgb.resize(size, Image.Resampling.BICUBIC, box=box).filter(ImageFilter.GaussianBlur(0.8))
    gains = chance.uniform(0.93, 1.07, 3)
    shifted = np.clip(np.asarray(small, dtype=np.float32) * gains, 0, 255).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(shifted).save(out, "JPEG", quality=60)
    return out.getvalue()
