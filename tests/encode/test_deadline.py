"""Claims about the deadline that travels with a call."""

import threading
import time

from arthur.encode.deadline import deadline, is_late, left_s, within


def test_it_holds_inside_the_block_alone() -> None:
    with within(10.0):
        assert 0 < left_s(deadline(), at_most=99.0) <= 10.0
    assert deadline() is None


def test_an_inner_block_gives_the_outer_one_back() -> None:
    with within(10.0):
        outer = deadline()
        with within(None):
            assert deadline() is None
        assert deadline() == outer


def test_another_thread_has_its_own() -> None:
    seen: list[float | None] = []
    with within(10.0):
        thread = threading.Thread(target=lambda: seen.append(deadline()))
        thread.start()
        thread.join()
    assert seen == [None]


def test_what_has_passed_is_late_and_leaves_nothing() -> None:
    past = time.monotonic() - 1
    assert is_late(past)
    assert left_s(past, at_most=5.0) == 0.0


def test_without_a_deadline_nothing_is_late() -> None:
    assert not is_late(None)
    assert left_s(None, at_most=5.0) == 5.0
