"""Port of the engines: uint8 squares in, unit float32 vectors out."""

from __future__ import annotations

from typing import Protocol

from arthur.encode.spec import EngineSpec
from arthur.types import Pixels, Vectors

__all__ = ["Encoder", "EngineSpec"]


class Encoder(Protocol):
    """A loaded engine. Every method may be called from any thread at any time."""

    @property
    def spec(self) -> EngineSpec:
        """What the engine is, and the fingerprint that marks its vectors."""
        ...

    def encode(self, pixels: Pixels) -> Vectors:
        """Embed `(n, side, side, 3)` uint8 RGB squares, n >= 1, into `(n, dim)` float32 unit rows, in order.

        Blocks, with the GIL released while the engine runs.

        Raises:
            EngineError: the engine failed, or an output row is not finite.
            Overloaded: a bounded queue in front of the engine is full.
        """
        ...

    def close(self) -> None:
        """Free the engine; calls in flight end first. Closing twice is allowed."""
        ...
