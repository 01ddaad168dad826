"""Claims about when a second service is asked."""

from arthur.encode.hedging import Hedging


def test_nothing_is_unusual_until_enough_is_known() -> None:
    hedging = Hedging()
    for _ in range(31):
        hedging.note(0.001)
    assert hedging.after_s is None
    hedging.note(0.001)
    assert hedging.after_s == 0.001


def test_unusual_is_longer_than_nineteen_of_twenty() -> None:
    hedging = Hedging()
    for number in range(128):
        hedging.note(1.0 if number % 32 == 0 else 0.001)
    assert hedging.after_s == 0.001


def test_old_answers_are_forgotten() -> None:
    hedging = Hedging()
    for seconds in (1.0, 0.001):
        for _ in range(256):
            hedging.note(seconds)
    assert hedging.after_s == 0.001


def test_one_question_in_twenty_may_be_asked_twice_after_the_saved_ones() -> None:
    hedging = Hedging()
    assert sum(hedging.take() for _ in range(100)) == 10
    for _ in range(41):
        hedging.note(0.001)
    assert sum(hedging.take() for _ in range(100)) == 2
