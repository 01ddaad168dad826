"""Names of views, and the types that arrays and JSON are made of."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from arthur.errors import BadRequest

Pixels: TypeAlias = NDArray[np.uint8]
"""(n, side, side, 3) RGB, C-contiguous, 0..255."""
Vectors: TypeAlias = NDArray[np.float32]
"""(n, dim) unit rows."""
Keys: TypeAlias = NDArray[np.int64]
"""(n,) view keys, 0 <= key < 2**63."""

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"
Metadata: TypeAlias = Mapping[str, JsonValue]

DecisionKind: TypeAlias = Literal["match", "unsure", "no_match"]
Fit: TypeAlias = Literal["crop", "stretch"]
"""How a picture becomes a square: shorter side to `side` and centre crop, or both sides to `side`."""
Runtime: TypeAlias = Literal["onnx", "openvino", "tensorrt", "torch-tensorrt", "torch"]
"""What runs an engine's graph."""
WantedRuntime: TypeAlias = Literal["auto", "onnx", "openvino", "tensorrt", "torch-tensorrt", "torch"]
"""A runtime, or the best that is installed."""
VerifyMode: TypeAlias = Literal["auto", "always", "never"]

_DNS_NAMESPACE = uuid.UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")


@dataclass(frozen=True, slots=True, order=True)
class ViewId:
    """Name of one picture: artist > entry > view. Parts are kept as given: not trimmed, not case-folded."""

    artist_id: str
    entry_id: str
    view_id: str

    def __post_init__(self) -> None:
        """Refuse blank parts.

        Raises:
            BadRequest: a part is empty or only white space, or holds a NUL or a lone surrogate.
        """
        for name in ("artist_id", "entry_id", "view_id"):
            check_id(getattr(self, name), name)

    @property
    def hierarchical(self) -> str:
        """`artist.entry.view`, the name legacy clients use."""
        return f"{self.artist_id}.{self.entry_id}.{self.view_id}"

    @property
    def vector_id(self) -> str:
        """UUIDv5 of the hierarchical id in the DNS namespace, lower case."""
        return str(uuid.uuid5(_DNS_NAMESPACE, self.hierarchical))


def check_id(part: str, name: str) -> str:
    """Return `part` if it can name an artist, entry or view.

    Raises:
        BadRequest: it is blank, longer than 512 characters, or cannot be stored as UTF-8 text.
    """
    if not part.strip():
        raise BadRequest(f"{name} must not be blank")
    if len(part) > 512:
        raise BadRequest(f"{name} is longer than 512 characters")
    if "\0" in part or (not part.isascii() and any("\ud800" <= c <= "\udfff" for c in part)):
        raise BadRequest(f"{name} holds characters that cannot be stored")
    return part
