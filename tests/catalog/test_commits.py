"""Claims of the group commit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from arthur.catalog.commits import GroupCommit


class Ledger:
    """Doubles numbers and remembers who came together; refuses any group with an odd number."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []

    def __call__(self, group: Sequence[int]) -> list[int]:
        if any(number % 2 for number in group):
            raise ValueError(group)
        self.groups.append(list(group))
        return [2 * number for number in group]


def queued(commits: GroupCommit[int, int], works: Sequence[int], threads: ThreadPoolExecutor) -> list[Future[int]]:
    """Submit all works while the turn is taken, so that they wait together."""
    with commits.alone():
        futures = [threads.submit(commits, work) for work in works]
        wait_until(lambda: len(commits._waiting) == len(works))
    return futures


def wait_until(fact: Callable[[], bool]) -> None:
    tick = threading.Event()
    while not fact():
        tick.wait(0.001)


def test_one_caller_gets_its_answer() -> None:
    ledger = Ledger()
    assert GroupCommit(ledger, largest=10)(4) == 8
    assert ledger.groups == [[4]]


def test_those_who_wait_share_a_transaction() -> None:
    ledger = Ledger()
    with ThreadPoolExecutor(8) as threads:
        futures = queued(GroupCommit(ledger, largest=10), range(0, 16, 2), threads)
        assert [future.result() for future in futures] == list(range(0, 32, 4))
    assert [sorted(group) for group in ledger.groups] == [list(range(0, 16, 2))]


def test_a_group_is_no_larger_than_allowed() -> None:
    ledger = Ledger()
    with ThreadPoolExecutor(8) as threads:
        futures = queued(GroupCommit(ledger, largest=3), range(0, 16, 2), threads)
        assert [future.result() for future in futures] == list(range(0, 32, 4))
    assert sorted(len(group) for group in ledger.groups) == [2, 3, 3]


def test_only_the_poisoned_fail() -> None:
    ledger = Ledger()
    with ThreadPoolExecutor(4) as threads:
        even, odd, other, last = queued(GroupCommit(ledger, largest=10), [2, 3, 4, 5], threads)
        assert (even.result(), other.result()) == (4, 8)
        for refused in (odd, last):
            with pytest.raises(ValueError, match=r"\[\d\]"):
                refused.result()
    assert sorted(ledger.groups) == [[2], [4]]


def test_an_interrupted_leader_leaves_the_others_their_work() -> None:
    interrupted = threading.Event()

    def commit(group: Sequence[int]) -> list[int]:
        if not interrupted.is_set():
            interrupted.set()
            raise KeyboardInterrupt
        return list(group)

    with ThreadPoolExecutor(3) as threads:
        futures = queued(GroupCommit(commit, largest=10), [1, 2, 3], threads)
        outcomes = [future.exception() or future.result() for future in futures]
    assert sum(isinstance(outcome, KeyboardInterrupt) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, int) for outcome in outcomes) == 2
