"""The packed form of a picture's local features: what the catalog stores for each view.

Little endian: a header of 16 bytes, then one array after another, each of `count` values: x, y (uint16, shares of
width and height), scale (uint8, 16 steps an octave), angle (uint8, 256 steps a turn), word (uint16), signature
(uint64), code (32 bytes: 4 bits for each of 64 values).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arthur.errors import StoreError

MAGIC = b"ALF1"
MOST = 248
"""Features of a view: as many as fit into 12,000 bytes."""
CODE_BYTES = 32

_HEADER = np.dtype(
    {
        "names": ("magic", "width", "height", "count", "code_bytes", "flags", "reserved"),
        "formats": ("S4", "<u2", "<u2", "<u2", "u1", "u1", "<u4"),
    }
)
_COLUMNS = (("x", "<u2"), ("y", "<u2"), ("scale", "u1"), ("angle", "u1"), ("word", "<u2"), ("signature", "<u8"))
_FEATURE_BYTES = sum(np.dtype(kind).itemsize for _, kind in _COLUMNS) + CODE_BYTES
_STEPS_AN_OCTAVE = 16
_FULL = 65_535


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """Local features of a view, to the precision in which they are stored.

    Attributes:
        width, height: of the gray picture, pixels, 1..65535.
        points: (n, 2) float32 x, y, pixels; n <= 248.
        scales: (n,) float32 diameter, pixels.
        angles: (n,) float32 radians, 0..2 pi.
        words: (n,) uint16 nearest visual word.
        signatures: (n,) uint64 relative to that word.
        codes: (n, 32) uint8.
    """

    width: int
    height: int
    points: NDArray[np.float32]
    scales: NDArray[np.float32]
    angles: NDArray[np.float32]
    words: NDArray[np.uint16]
    signatures: NDArray[np.uint64]
    codes: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.words)


def pack(features: Packed) -> bytes:
    """Return the packed form."""
    header = np.array([(MAGIC, features.width, features.height, len(features), CODE_BYTES, 0, 0)], dtype=_HEADER)
    shares = features.points / (features.width, features.height)
    columns = {
        "x": np.rint(shares[:, 0] * _FULL).clip(0, _FULL),
        "y": np.rint(shares[:, 1] * _FULL).clip(0, _FULL),
        "scale": np.rint(_STEPS_AN_OCTAVE * np.log2(np.maximum(features.scales, 1))).clip(0, 255),
        "angle": np.rint(features.angles * (128 / np.pi)).astype(np.int64) % 256,
        "word": features.words,
        "signature": features.signatures,
    }
    arrays = [columns[name].astype(kind) for name, kind in _COLUMNS]
    return b"".join(array.tobytes() for array in (header, *arrays, features.codes))


def unpack(data: bytes) -> Packed:
    """Read the packed form.

    Raises:
        StoreError: the bytes are damaged, cut short or of another format.
    """
    if len(data) < _HEADER.itemsize:
        raise StoreError("stored local features are cut short")
    header = np.frombuffer(data, _HEADER, 1)[0]
    count, width, height = int(header["count"]), int(header["width"]), int(header["height"])
    if header["magic"] != MAGIC or header["code_bytes"] != CODE_BYTES or header["flags"] or header["reserved"]:
        raise StoreError("stored local features are of an unknown format")
    if count > MOST or not width or not height or len(data) != _HEADER.itemsize + count * _FEATURE_BYTES:
        raise StoreError("stored local features are damaged")
    columns, at = {}, _HEADER.itemsize
    for name, kind in _COLUMNS:
        columns[name] = np.frombuffer(data, kind, count, at)
        at += columns[name].nbytes
    shares = np.stack([columns["x"], columns["y"]], axis=1).astype(np.float32) / _FULL
    return Packed(
        width=width,
        height=height,
        points=(shares * (width, height)).astype(np.float32),
        scales=np.exp2(columns["scale"].astype(np.float32) / _STEPS_AN_OCTAVE),
        angles=columns["angle"].astype(np.float32) * np.float32(np.pi / 128),
        words=columns["word"].astype(np.uint16),
        signatures=columns["signature"].astype(np.uint64),
        codes=np.frombuffer(data, np.uint8, count * CODE_BYTES, at).reshape(count, CODE_BYTES),
    )
