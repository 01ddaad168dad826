"""Reading packed local features: what the index keeps of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arthur.errors import BadRequest

_MAGIC = b"ALF1"
_HEAD = 16
_FEATURE = 16
_MAX_FEATURES = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Features of one view; places are coarse, and independent of the picture's resolution.

    Attributes:
        words: (n,) uint16 visual words.
        signatures: (n,) uint64.
        points: (n, 2) float64 x and y, shares of the picture's longer side.
        scales: (n,) float64 octaves above the picture's longer side.
        angles: (n,) float64 radians.
    """

    words: NDArray[np.uint16]
    signatures: NDArray[np.uint64]
    points: NDArray[np.float64]
    scales: NDArray[np.float64]
    angles: NDArray[np.float64]


def unpack(packed: bytes) -> Features:
    """Read the features of one view.

    Raises:
        BadRequest: the bytes are not packed features.
    """
    head = packed[:_HEAD]
    if len(head) < _HEAD:
        raise BadRequest("packed local features are cut short")
    width, height, n = np.frombuffer(head, "<u2", 3, 4).tolist()
    if head[:4] != _MAGIC or any(head[11:]) or 0 in (width, height):
        raise BadRequest("packed local features are of another format")
    if n > _MAX_FEATURES:
        raise BadRequest("packed local features are too many")
    if len(packed) != _HEAD + n * (_FEATURE + head[10]):
        raise BadRequest("packed local features are of another length than their count says")
    longer = max(width, height)
    places = np.frombuffer(packed, "<u2", 2 * n, _HEAD).reshape(2, n).astype(np.int64)
    coarse = np.minimum(places * [[width], [height]] * 256 // (longer * 65535), 255)
    sizes, turns = np.frombuffer(packed, np.uint8, 2 * n, _HEAD + 4 * n).reshape(2, n).astype(np.float64)
    relative = np.clip(sizes + np.round(16 * (10 - np.log2(longer))), 0, 255)
    return Features(
        words=np.frombuffer(packed, "<u2", n, _HEAD + 6 * n),
        signatures=np.frombuffer(packed, "<u8", n, _HEAD + 8 * n),
        points=(coarse.T + 0.5) / 256,
        scales=relative / 16 - 10,
        angles=turns * (2 * np.pi / 256),
    )
