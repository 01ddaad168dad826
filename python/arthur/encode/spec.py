"""What an engine is: the facts of its `engine.toml`, and the fingerprint made of them."""

from __future__ import annotations

from dataclasses import dataclass

from arthur.types import Fit


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """An engine's identity and the form of its input and output.

    Attributes:
        name: as in `engine.toml`.
        side: edge of the input square, pixels.
        fit: how a picture becomes that square.
        dim: length of a vector.
        fingerprint: hex BLAKE3 over weights, graph and preprocessing; vectors of different fingerprints never meet.
    """

    name: str
    side: int
    fit: Fit
    dim: int
    fingerprint: str

    @property
    def label(self) -> str:
        """`name@` and the first twelve digits of the fingerprint, as answers show it."""
        return f"{self.name}@{self.fingerprint[:12]}"
