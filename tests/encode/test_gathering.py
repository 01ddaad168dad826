"""Claims about how long a free engine waits for callers that are about to come again."""

import pytest

from arthur.encode.gathering import Gathering


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_at_first_nobody_is_waited_for(clock: Clock) -> None:
    assert Gathering(clock=clock).missing_s(1) == 0


def test_those_answered_together_are_waited_for_a_fifth_of_their_run(clock: Clock) -> None:
    gathering = Gathering(clock=clock)
    gathering.note(answered=3, waiting=2, seconds=0.1)
    assert gathering.missing_s(4) == pytest.approx(0.02)
    assert gathering.missing_s(5) == 0


def test_the_wait_ends(clock: Clock) -> None:
    gathering = Gathering(clock=clock)
    gathering.note(answered=3, waiting=0, seconds=0.1)
    clock.now += 0.021
    assert gathering.missing_s(1) == 0


def test_the_same_pictures_are_not_waited_for_in_as_many_calls(clock: Clock) -> None:
    gathering = Gathering(clock=clock)
    gathering.note(answered=32, waiting=0, seconds=0.1)
    assert gathering.missing_s(32) == 0  # whether they come in one call or in thirty-two


def test_a_caller_that_was_alone_waits_for_nobody(clock: Clock) -> None:
    gathering = Gathering(clock=clock)
    gathering.note(answered=1, waiting=0, seconds=0.1)
    assert gathering.missing_s(1) == 0
