"""Claims of the breaker."""

from __future__ import annotations

import pytest

from arthur.breaker import Breaker
from tests.models import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_breaker(clock: Clock) -> Breaker:
    breaker = Breaker(clock_s=clock)
    assert [breaker.failed() for _ in range(3)] == [False, False, True]
    return breaker


def test_single_failures_stop_nothing(clock: Clock) -> None:
    breaker = Breaker(clock_s=clock)
    for _ in range(10):
        breaker.failed()
        breaker.failed()
        assert breaker.allows()
        assert not breaker.succeeded()


def test_failures_in_a_row_begin_a_rest(open_breaker: Breaker) -> None:
    assert not open_breaker.allows()


def test_after_a_rest_one_is_let_through(open_breaker: Breaker, clock: Clock) -> None:
    clock.now += 0.5
    assert [open_breaker.allows() for _ in range(3)] == [True, False, False]


def test_an_answer_ends_the_rest(open_breaker: Breaker, clock: Clock) -> None:
    clock.now += 0.5
    assert open_breaker.allows()
    assert open_breaker.succeeded()
    assert all(open_breaker.allows() for _ in range(3))


def test_rests_grow_to_a_limit(open_breaker: Breaker, clock: Clock) -> None:
    rests = []
    for _ in range(8):
        begin = clock.now
        while not open_breaker.allows():
            clock.now += 0.25
        rests.append(clock.now - begin)
        assert not open_breaker.failed()
    assert rests == [0.5, 1, 2, 4, 8, 8, 8, 8]
