"""Claims about the pictures that are kept out of batches."""

import numpy as np
import pytest

from arthur.encode.quarantine import Quarantine
from arthur.errors import EngineError


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def shade(value: int) -> np.ndarray:
    return np.full((1, 2, 2, 3), value, np.uint8)


def test_the_same_pixels_are_refused_and_the_reason_told() -> None:
    quarantine = Quarantine()
    quarantine.put(shade(1), EngineError("no direction"))
    with pytest.raises(EngineError, match=r"no direction .*held back"):
        quarantine.check(shade(1).copy())


def test_other_pixels_pass() -> None:
    quarantine = Quarantine()
    quarantine.put(shade(1), EngineError("no direction"))
    quarantine.check(shade(2))


def test_pixels_pass_again_when_their_time_is_over() -> None:
    clock = Clock()
    quarantine = Quarantine(hold_s=60, clock=clock)
    quarantine.put(shade(1), EngineError("no direction"))
    clock.now = 60.0
    quarantine.check(shade(1))
    assert len(quarantine) == 0


def test_only_the_newest_are_remembered() -> None:
    quarantine = Quarantine()
    for value in range(1025):
        quarantine.put(np.full((1, 1, 1, 3), (*divmod(value, 256), 0), np.uint8), EngineError("bad"))
    assert len(quarantine) == 1024
    quarantine.check(np.zeros((1, 1, 1, 3), np.uint8))
