"""Turns: few at a time, in order, with a queue for bursts alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from arthur.errors import Overloaded
from arthur.web.turns import Turns


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Crowd:
    """One turn and four places in the queue; `come` waits for the turn in a thread and notes its number with it."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.clock = Clock()
        self.turns = Turns(1, waiting=4, clock=self.clock)
        self.order: list[int] = []
        self._pool = pool

    def come(self, number: int, *, patient: bool = False) -> Future[None]:
        def work() -> None:
            with self.turns.taken(patient=patient):
                self.order.append(number)

        before = self.turns.queued
        coming = self._pool.submit(work)
        while not coming.done() and self.turns.queued == before:
            continue
        return coming


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    with ThreadPoolExecutor(16) as pool:
        yield Crowd(pool)


@pytest.fixture
def let_go(crowd: Crowd) -> Callable[[], None]:
    """The turn is held until this is called."""
    turn = ExitStack()
    turn.enter_context(crowd.turns.taken())
    return turn.close


def test_turns_are_given_in_order_of_arrival(crowd: Crowd, let_go: Callable[[], None]) -> None:
    coming = [crowd.come(number) for number in range(4)]
    assert crowd.order == []
    let_go()
    assert [one.result(30) for one in coming] == [None] * 4
    assert crowd.order == [0, 1, 2, 3]


def test_one_more_than_the_queue_holds_is_refused(crowd: Crowd, let_go: Callable[[], None]) -> None:
    coming = [crowd.come(number) for number in range(5)]
    assert isinstance(coming[4].exception(30), Overloaded)
    let_go()
    assert [one.result(30) for one in coming[:4]] == [None] * 4


def test_after_a_refusal_nobody_waits_until_a_second_without_one_has_passed(
    crowd: Crowd, let_go: Callable[[], None]
) -> None:
    coming = [crowd.come(number) for number in range(5)]
    let_go()
    assert [one.exception(30) is None for one in coming] == [True] * 4 + [False]
    refused = []
    with crowd.turns.taken():
        for pause in (0.0, 0.9, 0.9, 1.1):
            crowd.clock.now += pause
            refused.append(crowd.turns.refuses())
    assert refused == [True, True, True, False]


def test_once_as_many_were_refused_as_may_wait_those_far_behind_are_told(
    crowd: Crowd, let_go: Callable[[], None]
) -> None:
    hasty, patient = [crowd.come(number) for number in range(4)], crowd.come(9, patient=True)
    refused = [crowd.turns.refuses() for _ in range(3)]
    assert (refused, [one.done() for one in hasty]) == ([True] * 3, [False] * 4)
    assert crowd.turns.refuses()
    assert [isinstance(one.exception(30), Overloaded) for one in hasty[1:]] == [True] * 3
    let_go()
    assert (hasty[0].result(30), patient.result(30), crowd.order) == (None, None, [0, 9])


def test_who_is_patient_is_never_refused(crowd: Crowd, let_go: Callable[[], None]) -> None:
    coming = [crowd.come(number, patient=True) for number in range(8)]
    assert not crowd.turns.refuses()
    let_go()
    assert [one.result(30) for one in coming] == [None] * 8


def test_a_turn_comes_back_when_the_work_fails() -> None:
    turns = Turns(1, waiting=0)
    for _ in range(3):
        with pytest.raises(KeyError), turns.taken():
            raise KeyError
    assert not turns.refuses()
