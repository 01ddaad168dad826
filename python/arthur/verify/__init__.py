"""Port of the verifiers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from arthur.types import LocalQuery


@dataclass(frozen=True, slots=True)
class Verification:
    inliers: int
    coverage: float
    quad: NDArray[np.float32] | None
    matches: int
    homography: NDArray[np.float64] | None


class Look(Protocol):
    @property
    def query(self) -> LocalQuery: ...


class Verifier(Protocol):
    @property
    def fingerprint(self) -> str: ...
    def describe(self, gray: NDArray[np.uint8]) -> bytes: ...
    def look(self, gray: NDArray[np.uint8]) -> Look: ...
    def recall(self, packed: bytes) -> Look: ...
    def compare(self, look: Look, candidates: Sequence[bytes]) -> list[Verification]: ...


def open_verifier(url: str) -> Verifier:
    raise NotImplementedError
