"""Claims about batching, with a fake engine whose runs start and end when a test says so."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest

from arthur.encode import EngineSpec
from arthur.encode.batch import Batched
from arthur.encode.deadline import deadline, within
from arthur.errors import DeadlineExceeded, EngineError, EngineUnavailable, Overloaded

WAIT_S = 20


class Gate:
    """A fake engine: vectors are the first pixel's colour; pictures of red 255 make it fail."""

    def __init__(self) -> None:
        self.spec = EngineSpec("fake", 1, "crop", 3, "00" * 32)
        self.batches: list[list[int]] = []
        self.threads: set[int] = set()
        self.closed = 0
        self.open = threading.Event()
        self.entered = threading.Semaphore(0)
        self.open.set()

    def encode(self, pixels: np.ndarray) -> np.ndarray:
        self.threads.add(threading.get_ident())
        self.entered.release()
        assert self.open.wait(WAIT_S)
        reds = [int(red) for red in pixels[:, 0, 0, 0]]
        self.batches.append(reds)
        if 255 in reds:
            raise EngineError("picture of red 255")
        return pixels[:, 0, 0].astype(np.float32)

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def batched(gate: Gate) -> Iterator[Batched]:
    encoder = Batched(gate, batch_max=4)
    yield encoder
    gate.open.set()
    encoder.close()


@pytest.fixture
def busy(gate: Gate, batched: Batched) -> Iterator[Callable[[], None]]:
    """The engine works on a picture of red 0 until the returned function is called."""
    gate.open.clear()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(batched.encode, reds(0))
        assert gate.entered.acquire(timeout=WAIT_S)

        def release() -> None:
            gate.open.set()
            first.result(WAIT_S)

        yield release
        release()


def reds(*values: int) -> np.ndarray:
    pixels = np.zeros((len(values), 1, 1, 3), np.uint8)
    pixels[:, 0, 0, 0] = values
    return pixels


def first_reds(future: Future[np.ndarray]) -> list[int]:
    return [int(red) for red in future.result(WAIT_S)[:, 0]]


def test_a_lone_caller_runs_the_engine_in_its_own_thread(gate: Gate, batched: Batched) -> None:
    batched.encode(reds(1))
    assert gate.threads == {threading.get_ident()}


def test_calls_during_a_run_share_the_next_batches(gate: Gate, batched: Batched, busy: Callable[[], None]) -> None:
    futures = [batched.submit(reds(value)) for value in range(1, 7)]
    busy()
    assert [first_reds(future) for future in futures] == [[value] for value in range(1, 7)]
    assert gate.batches == [[0], [1, 2, 3, 4], [5, 6]]


def test_a_call_of_several_pictures_is_never_torn(gate: Gate, batched: Batched, busy: Callable[[], None]) -> None:
    futures = [batched.submit(reds(1, 2, 3)), batched.submit(reds(4, 5)), batched.submit(reds(6))]
    busy()
    assert [first_reds(future) for future in futures] == [[1, 2, 3], [4, 5], [6]]
    assert gate.batches == [[0], [1, 2, 3], [4, 5, 6]]


def test_more_pictures_than_a_batch_run_as_several(gate: Gate, batched: Batched) -> None:
    assert batched.encode(reds(*range(9)))[:, 0].tolist() == list(range(9))
    assert gate.batches == [[0, 1, 2, 3], [4, 5, 6, 7], [8]]


def test_only_the_guilty_caller_gets_the_error(gate: Gate, batched: Batched, busy: Callable[[], None]) -> None:
    futures = [batched.submit(reds(value)) for value in (1, 2, 255, 4)]
    busy()
    assert [first_reds(futures[place]) for place in (0, 1, 3)] == [[1], [2], [4]]
    with pytest.raises(EngineError, match="red 255"):
        futures[2].result(WAIT_S)
    assert gate.batches == [[0], [1, 2, 255, 4], [1, 2], [255, 4], [255], [4]]


def test_pixels_that_broke_a_batch_do_not_break_the_next(
    gate: Gate, batched: Batched, busy: Callable[[], None]
) -> None:
    guilty = [batched.submit(reds(value)) for value in (1, 255)][1]
    busy()
    assert isinstance(guilty.exception(WAIT_S), EngineError)
    runs = len(gate.batches)
    for send in (batched.encode, batched.submit):
        with pytest.raises(EngineError, match=r"red 255 .*held back"):
            send(reds(255))
    assert len(gate.batches) == runs
    assert batched.stats().held == 1


def test_an_engine_that_fails_on_all_puts_no_picture_into_quarantine(
    gate: Gate, batched: Batched, busy: Callable[[], None]
) -> None:
    futures = [batched.submit(reds(255)) for _ in range(2)]
    busy()
    assert all(isinstance(future.exception(WAIT_S), EngineError) for future in futures)
    assert batched.stats().held == 0


def test_a_call_whose_deadline_passed_in_the_queue_is_not_run(
    gate: Gate, batched: Batched, busy: Callable[[], None]
) -> None:
    futures = [batched.submit(reds(1), until=time.monotonic()), batched.submit(reds(2))]
    busy()
    assert first_reds(futures[1]) == [2]
    assert isinstance(futures[0].exception(WAIT_S), DeadlineExceeded)
    assert gate.batches == [[0], [2]]
    assert batched.stats().late == 1


def test_a_caller_waits_no_longer_than_its_deadline(gate: Gate, batched: Batched, busy: Callable[[], None]) -> None:
    with within(0.01), pytest.raises(DeadlineExceeded):
        batched.encode(reds(1))
    busy()
    assert batched.encode(reds(2))[0, 0] == 2
    assert gate.batches == [[0], [2]]


def test_a_call_that_is_late_already_is_not_run(gate: Gate, batched: Batched) -> None:
    with within(0.0), pytest.raises(DeadlineExceeded):
        batched.encode(reds(1))
    assert gate.batches == []


def test_the_places_of_dropped_calls_go_to_live_ones(gate: Gate, batched: Batched, busy: Callable[[], None]) -> None:
    futures = [batched.submit(reds(value)) for value in range(1, 7)]
    assert futures[0].cancel()
    assert futures[1].cancel()
    busy()
    assert first_reds(futures[5]) == [6]
    assert gate.batches == [[0], [3, 4, 5, 6]]
    assert batched.stats().left == 2


def test_two_lanes_run_two_batches_at_a_time(gate: Gate) -> None:
    batched = Batched(gate, batch_max=1, lanes=2)
    gate.open.clear()
    futures = [batched.submit(reds(value)) for value in (1, 2, 3)]
    assert all(gate.entered.acquire(timeout=WAIT_S) for _ in range(2))
    assert not gate.entered.acquire(blocking=False)
    gate.open.set()
    assert [first_reds(future) for future in futures] == [[1], [2], [3]]
    batched.close()


def test_close_waits_for_every_lane(gate: Gate) -> None:
    batched = Batched(gate, batch_max=1, lanes=2)
    gate.open.clear()
    with ThreadPoolExecutor(3) as pool:
        calls = [pool.submit(batched.encode, reds(value)) for value in (1, 2)]
        assert all(gate.entered.acquire(timeout=WAIT_S) for _ in calls)
        closing = pool.submit(batched.close)
        assert gate.closed == 0
        gate.open.set()
        closing.result(WAIT_S)
    assert gate.closed == 1
    assert sorted(red for batch in gate.batches for red in batch) == [1, 2]


def test_what_ran_is_counted(gate: Gate, batched: Batched, busy: Callable[[], None]) -> None:
    futures = [batched.submit(reds(value)) for value in (1, 255)]
    busy()
    assert isinstance(futures[1].exception(WAIT_S), EngineError)
    stats = batched.stats()
    assert (stats.runs, stats.pictures, stats.failed, stats.queued) == (4, 5, 2, 0)


def test_a_lone_caller_gets_its_error_and_frees_the_engine(batched: Batched) -> None:
    with pytest.raises(EngineError, match="red 255"):
        batched.encode(reds(255))
    assert batched.encode(reds(3))[0, 0] == 3


def test_a_full_queue_is_overloaded_at_once(gate: Gate, busy: Callable[[], None], batched: Batched) -> None:
    futures = [batched.submit(reds(1, 2, 3, 4)) for _ in range(16)]
    with pytest.raises(Overloaded):
        batched.encode(reds(5))
    busy()
    assert all(first_reds(future) == [1, 2, 3, 4] for future in futures)
    assert batched.encode(reds(5))[0, 0] == 5


def test_cancelled_calls_never_reach_the_engine(gate: Gate, batched: Batched, busy: Callable[[], None]) -> None:
    futures = [batched.submit(reds(value)) for value in (1, 2, 3)]
    assert futures[1].cancel()
    busy()
    assert [first_reds(futures[place]) for place in (0, 2)] == [[1], [3]]
    assert gate.batches == [[0], [1, 3]]


def test_a_batch_of_cancelled_calls_alone_runs_nothing(gate: Gate, batched: Batched, busy: Callable[[], None]) -> None:
    assert batched.submit(reds(1)).cancel()
    busy()
    assert batched.encode(reds(2))[0, 0] == 2
    assert gate.batches == [[0], [2]]


def test_close_runs_what_is_queued_and_closes_the_engine(
    gate: Gate, batched: Batched, busy: Callable[[], None]
) -> None:
    future = batched.submit(reds(7))
    with ThreadPoolExecutor(1) as pool:
        closing = pool.submit(batched.close)
        busy()
        closing.result(WAIT_S)
    assert first_reds(future) == [7]
    assert gate.closed == 1
    with pytest.raises(EngineError, match="closed"):
        batched.encode(reds(1))


def test_close_waits_for_the_call_in_flight(gate: Gate, batched: Batched, busy: Callable[[], None]) -> None:
    with ThreadPoolExecutor(1) as pool:
        closing = pool.submit(batched.close)
        assert not closing.done()
        assert gate.closed == 0
        busy()
        closing.result(WAIT_S)
    assert gate.batches == [[0]]


def test_a_waiting_batch_starts_as_soon_as_it_is_full(gate: Gate) -> None:
    batched = Batched(gate, batch_max=3, wait_ms=1000 * WAIT_S)
    futures = [batched.submit(reds(value)) for value in (1, 2, 3)]
    assert [first_reds(future) for future in futures] == [[1], [2], [3]]
    assert gate.batches == [[1, 2, 3]]
    batched.close()


def test_a_waiting_batch_starts_when_its_time_is_over(gate: Gate) -> None:
    batched = Batched(gate, batch_max=3, wait_ms=1)
    assert batched.encode(reds(1))[0, 0] == 1
    batched.close()


def test_close_does_not_wait_for_a_fuller_batch(gate: Gate) -> None:
    batched = Batched(gate, batch_max=3, wait_ms=1000 * WAIT_S)
    future = batched.submit(reds(1))
    batched.close()
    assert first_reds(future) == [1]


def test_clients_that_were_answered_together_are_batched_together_again(gate: Gate) -> None:
    batched = Batched(gate, batch_max=8)
    batched._gathering.note(answered=3, waiting=0, seconds=1000 * WAIT_S)  # as a run that took so long would
    futures = [batched.submit(reds(value)) for value in (1, 2, 3)]
    assert [first_reds(future) for future in futures] == [[1], [2], [3]]
    assert gate.batches == [[1, 2, 3]]
    batched.close()


def test_close_does_not_wait_for_clients_to_come_again(gate: Gate) -> None:
    batched = Batched(gate, batch_max=8)
    batched._gathering.note(answered=3, waiting=0, seconds=1000 * WAIT_S)
    future = batched.submit(reds(1))
    batched.close()
    assert first_reds(future) == [1]


class Away(Gate):
    """An engine that is away, and notes until when its callers wait."""

    def __init__(self) -> None:
        super().__init__()
        self.moments: list[float | None] = []

    def encode(self, pixels: np.ndarray) -> np.ndarray:
        super().encode(pixels)
        self.moments.append(deadline())
        raise EngineUnavailable("nobody is there")


def test_a_batch_whose_engine_is_away_is_tried_once() -> None:
    away = Away()
    batched = Batched(away, batch_max=3, wait_ms=1000 * WAIT_S)
    futures = [batched.submit(reds(value)) for value in (1, 2, 3)]
    assert all(isinstance(future.exception(WAIT_S), EngineUnavailable) for future in futures)
    assert away.batches == [[1, 2, 3]]
    assert batched.stats().held == 0
    batched.close()


@pytest.mark.parametrize(("other", "wanted"), [(500.0, 900.0), (None, None)])
def test_a_batch_is_worth_an_answer_as_long_as_one_of_its_callers_waits(
    other: float | None, wanted: float | None
) -> None:
    away, now = Away(), time.monotonic()
    batched = Batched(away, batch_max=2, wait_ms=1000 * WAIT_S)
    futures = [batched.submit(reds(1), until=now + 900), batched.submit(reds(2), until=other and now + other)]
    assert all(future.exception(WAIT_S) for future in futures)
    assert away.moments == [wanted and now + wanted]
    batched.close()


def test_each_of_several_engines_gets_its_share_of_what_waits(gate: Gate) -> None:
    batched = Batched(gate, batch_max=8, lanes=2, spread=2)
    gate.open.clear()
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(batched.encode, reds(0)) for _ in range(2)]
        assert all(gate.entered.acquire(timeout=WAIT_S) for _ in running)
        futures = [batched.submit(reds(value)) for value in range(1, 7)]
        gate.open.set()
        assert [first_reds(future) for future in futures] == [[value] for value in range(1, 7)]
    assert sorted(map(len, gate.batches))[-1] == 3
    batched.close()


class Short(Gate):
    """An engine that loses a row when it gets more than one."""

    def encode(self, pixels: np.ndarray) -> np.ndarray:
        return super().encode(pixels)[: max(1, len(pixels) - 1)]


def test_rows_are_never_handed_to_another_caller_when_the_engine_loses_one() -> None:
    batched = Batched(Short(), batch_max=2, wait_ms=1000 * WAIT_S)
    futures = [batched.submit(reds(value)) for value in (1, 2)]
    assert [first_reds(future) for future in futures] == [[1], [2]]
    batched.close()


def test_submit_refuses_more_than_a_batch(batched: Batched) -> None:
    with pytest.raises(EngineError, match="5 pictures are more than a batch of 4"):
        batched.submit(reds(1, 2, 3, 4, 5))


def test_many_threads_all_get_their_own_vectors(gate: Gate) -> None:
    with ThreadPoolExecutor(16) as pool:
        batched = Batched(gate, batch_max=4)
        answers = list(pool.map(lambda value: int(batched.encode(reds(value))[0, 0]), range(200)))
    assert answers == list(range(200))
    assert max(len(batch) for batch in gate.batches) <= 4
    batched.close()
