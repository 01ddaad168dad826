"""Claims about lanes: right rows for every batch size, recorded once, and freed."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from arthur.encode.cuda import OutOfMemory
from arthur.encode.lanes import Lane, Lanes
from arthur.encode.pool import Pool
from arthur.errors import EngineError
from tests.encode.fake_cuda import FakeCuda, Sums

SIDE = 4


def lane(cuda: FakeCuda, *, batch_max: int = 8) -> Lane:
    made = lambda given, found: Sums(cuda, given, found, side=SIDE)  # noqa: E731 - a parameter
    return Lane(cuda, made, side=SIDE, dim=2, batch_max=batch_max)


def pictures(count: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)


def expected(pixels: np.ndarray) -> np.ndarray:
    sums = pixels.reshape(len(pixels), -1).sum(axis=1)
    return np.stack([sums, np.ones(len(pixels))], axis=1).astype(np.float32)


@pytest.mark.parametrize("count", range(1, 9))
def test_every_batch_size_gives_its_own_rows(count: int) -> None:
    found = lane(FakeCuda()).run(pictures(count))
    np.testing.assert_array_equal(found, expected(pictures(count)))


def test_a_smaller_batch_after_a_larger_one_sees_nothing_of_it() -> None:
    one = lane(FakeCuda())
    one.run(pictures(8))
    np.testing.assert_array_equal(one.run(pictures(5)), expected(pictures(5)))


def test_rows_stay_when_the_next_batch_runs() -> None:
    one = lane(FakeCuda())
    first = one.run(pictures(2))
    one.run(255 - pictures(2))
    np.testing.assert_array_equal(first, expected(pictures(2)))


def test_a_batch_size_is_recorded_once_and_then_launched() -> None:
    cuda = FakeCuda()
    one = lane(cuda)
    for count in (3, 3, 5, 6, 5):
        one.run(pictures(count))
    assert (len(cuda.graphs), cuda.launched) == (2, [0, 0, 1, 1, 1])


def test_warming_records_every_size() -> None:
    cuda = FakeCuda()
    lane(cuda, batch_max=8).warm()
    assert len(cuda.graphs) == 6


def test_what_cannot_be_recorded_runs_all_the_same() -> None:
    cuda = FakeCuda(recordable=False)
    one = lane(cuda)
    for count in (2, 2):
        np.testing.assert_array_equal(one.run(pictures(count)), expected(pictures(count)))
    assert cuda.launched == []


def test_more_pictures_than_a_lane_holds_run_in_batches() -> None:
    cuda = FakeCuda()
    lanes = Lanes(cuda, (lane(cuda), lane(cuda)), name="sums", batch_max=8)
    np.testing.assert_array_equal(lanes.run(pictures(21)), expected(pictures(21)))
    assert lanes.parallel == 2


def test_a_vector_that_is_not_finite_is_an_error() -> None:
    cuda = FakeCuda()
    made = lane(cuda)
    cuda.copy_out = lambda target, source, stream: cuda.queue(lambda: target.fill(0xFF))
    with pytest.raises(EngineError, match="engine sums gave a vector that is not finite"):
        Lanes(cuda, (made,), name="sums", batch_max=8).run(pictures(1))


def test_a_failed_batch_gives_the_lane_back() -> None:
    cuda = FakeCuda()
    lanes = Lanes(cuda, (lane(cuda),), name="sums", batch_max=8)
    lanes.run(pictures(1))
    launch, cuda.launch = cuda.launch, _refuse
    with pytest.raises(EngineError, match="engine sums failed: unspecified launch failure"):
        lanes.run(pictures(1))
    cuda.launch = launch
    assert len(lanes.run(pictures(1))) == 1


def _refuse(graph: int, stream: int) -> None:
    raise EngineError("unspecified launch failure")


def test_too_little_memory_is_told() -> None:
    with pytest.raises(OutOfMemory):
        lane(FakeCuda(room=100))


def test_closing_frees_the_gpu() -> None:
    cuda = FakeCuda()
    lanes = Lanes(cuda, (lane(cuda),), name="sums", batch_max=8)
    lanes.close()
    lanes.close()
    assert cuda.released


class Narrow:
    """A lane that bears one call at a time."""

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def run(self, pixels: np.ndarray) -> np.ndarray:
        assert self.lock.acquire(blocking=False)
        found = expected(pixels)
        self.lock.release()
        return found


def test_a_lane_is_lent_to_one_call_at_a_time() -> None:
    lanes = Pool([Narrow(), Narrow()], name="sums", batch_max=2)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda count: lanes.run(pictures(count)), [1, 2, 3, 4] * 20))
    assert [len(rows) for rows in found] == [1, 2, 3, 4] * 20


def test_out_of_memory_in_a_lane_stays_what_it_is() -> None:
    class Full:
        def run(self, pixels: np.ndarray) -> np.ndarray:
            raise OutOfMemory("no room for one picture")

    with pytest.raises(OutOfMemory, match="engine sums: no room for one picture"):
        Pool([Full()], name="sums", batch_max=8).run(pictures(1))
