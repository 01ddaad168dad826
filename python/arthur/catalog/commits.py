"""Group commit: work of many threads is done in one transaction, so that they share one sync of the disk."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

Work = TypeVar("Work")
Answer = TypeVar("Answer")

__all__ = ["GroupCommit"]


class _Ticket(Generic[Work, Answer]):
    """One caller's work and, once done, its outcome."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.outcome: Answer | Exception | None = None


class GroupCommit(Generic[Work, Answer]):
    """Lets one writer in at a time; whoever gets in does the work of those who wait, too. Thread-safe.

    `commit` does several pieces of work as one, all or nothing, and returns an answer for each, in order. When it
    fails on more than one, each is tried by itself, so that a bad one costs its neighbours time and nothing else.
    At most `largest` pieces are done at once. Unlike other locks, the turn is held while the database works: writers
    would otherwise queue up inside it, where they cannot share a transaction.
    """

    def __init__(self, commit: Callable[[Sequence[Work]], Sequence[Answer]], *, largest: int) -> None:
        self._commit = commit
        self._largest = largest
        self._turn = threading.Lock()
        self._waiting: deque[_Ticket[Work, Answer]] = deque()

    def __call__(self, work: Work) -> Answer:
        """Do `work`, maybe together with that of other threads, and return its answer or raise its error."""
        ticket: _Ticket[Work, Answer] = _Ticket(work)
        self._waiting.append(ticket)
        with self._turn:
            # Those ahead in the queue go first, so this may take several rounds.
            while ticket.outcome is None:
                self._lead(ticket)
        if isinstance(ticket.outcome, Exception):
            raise ticket.outcome
        return ticket.outcome

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep all other writers of this process out."""
        with self._turn:
            yield

    def _lead(self, own: _Ticket[Work, Answer]) -> None:
        group = [self._waiting.popleft() for _ in range(min(self._largest, len(self._waiting)))]
        try:
            self._finish(group)
        except BaseException:
            # This thread was interrupted: the others' work goes back, for one of them to lead.
            self._waiting.extendleft(t for t in reversed(group) if t is not own and t.outcome is None)
            raise

    def _finish(self, group: Sequence[_Ticket[Work, Answer]]) -> None:
        try:
            answers = self._commit([ticket.work for ticket in group])
        except Exception as error:  # noqa: BLE001  # raised by the caller whose work it was
            if len(group) == 1:
                group[0].outcome = error
                return
            for ticket in group:
                self._finish([ticket])
        else:
            for ticket, answer in zip(group, answers, strict=True):
                ticket.outcome = answer
