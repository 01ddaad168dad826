"""Claims about loads: what clients wait for is counted, and what is refused is not hidden."""

import time

import numpy as np
import pytest

from arthur.encode.batch import Batched
from arthur.encode.loads import Observed, closed_load, open_load
from arthur.encode.spec import EngineSpec
from arthur.errors import EngineError
from arthur.types import Pixels, Vectors

PICTURES = np.zeros((4, 8, 8, 3), np.uint8)


class Slow:
    """An engine that takes a while for each batch, or fails."""

    spec = EngineSpec("slow", 8, "crop", 2, "0" * 64)

    def __init__(self, seconds: float = 0.0, *, fails: bool = False) -> None:
        self.seconds, self.fails = seconds, fails

    def encode(self, pixels: Pixels) -> Vectors:
        if self.fails:
            raise EngineError("broken")
        time.sleep(self.seconds)
        return np.tile(np.array([1, 0], np.float32), (len(pixels), 1))

    def close(self) -> None:
        """Nothing to free."""


def test_clients_wait_for_their_answers() -> None:
    engine = Batched(Slow(0.02), batch_max=2)
    found = closed_load(engine, PICTURES, clients=4, seconds=0.3)
    engine.close()
    assert len(found.latencies_ms) >= 4
    assert found.quantile_ms(0.5) >= 20
    assert found.per_s <= 2 / 0.02


def test_pictures_come_whether_or_not_those_before_were_answered() -> None:
    engine = Batched(Slow(0.05), batch_max=1, queue_max=1000)
    found = open_load(engine, PICTURES, per_s=100, seconds=0.5, seed=0)
    engine.close()
    assert (len(found.latencies_ms), found.refused) == (50, 0)
    assert found.per_s <= 20
    assert found.quantile_ms(0.95) >= 10 * found.latencies_ms[0] >= 10 * 49


def test_a_full_queue_is_no_short_latency() -> None:
    engine = Batched(Slow(0.2), batch_max=1, queue_max=1)
    found = open_load(engine, PICTURES, per_s=100, seconds=0.2, seed=0)
    engine.close()
    assert found.refused > 0
    assert found.quantile_ms(0.5) == float("inf")


def test_an_engine_that_fails_ends_a_load() -> None:
    engine = Batched(Slow(fails=True), batch_max=1)
    with pytest.raises(EngineError, match="broken"):
        open_load(engine, PICTURES, per_s=50, seconds=0.1, seed=0)
    with pytest.raises(EngineError, match="broken"):
        closed_load(engine, PICTURES, clients=2, seconds=0.1)
    engine.close()


def test_quantiles_are_of_all_answers() -> None:
    found = Observed([float(one) for one in range(101)], 1.0)
    assert (found.quantile_ms(0.5), found.quantile_ms(0.95)) == (50, 95)
    assert Observed([], 0.0).quantile_ms(0.5) == float("inf")
