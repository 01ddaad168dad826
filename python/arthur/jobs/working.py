"""A worker: takes what there is to do from the queue, and does it in several threads until it is told to stop."""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol, TypeAlias

import structlog

from arthur.catalog import JobQueue
from arthur.errors import ArthurError, StoreError
from arthur.jobs.importing import GROUP, GroupImport
from arthur.jobs.items import Found, Item, Refused
from arthur.types import Job, Lease, Listing, Reject, Settlement, Task

__all__ = ["Terms", "Trade", "Worker"]

log = structlog.get_logger(__name__)

_IDLE_S = 1.0
_FAULT_S = 5.0
_CLOSING_S = 5.0
_STRETCH = 16 * GROUP
_SPLIT_AFTER = 3
"""Workers that died over a group, after which each of its items is tried by itself."""
_GIVE_UP_AFTER = 8
"""Workers that died over one item, after which it goes into quarantine."""

Stopped: TypeAlias = Callable[[], bool]


class Trade(Protocol):
    """Knows how jobs are done. Callable from any thread."""

    def open(self, job: Job) -> Iterator[Found]:
        """Open a job's source behind its cursor.

        Raises:
            StoreError: it does not answer; later it may.
            ArthurError: it cannot be listed.
        """
        ...

    def work(self, task: Task, stopped: Stopped) -> GroupImport:
        """Do a group.

        Raises:
            ArthurError: nothing of it could be done, and not because of it.
        """
        ...


@dataclass(frozen=True, slots=True)
class Terms:
    """How a worker works.

    Attributes:
        offers: what it has that jobs may need.
        threads: groups worked on at the same time.
        lease_s: after which another takes over what a dead worker had.
        only: number of the one job that it works on; None for all.
        nice: lowers the threads' priority by so much.
        pause_s: after which the catalog is asked again that did not answer.
    """

    offers: Sequence[str] = ("",)
    threads: int = 1
    lease_s: float = 30.0
    only: int | None = None
    nice: int = 0
    pause_s: float = _FAULT_S


class Worker:
    """Works on jobs. Every method may be called from any thread.

    Threads renew their leases together; whoever loses one stops at the next picture, and its outcome is not counted.
    """

    def __init__(
        self, queue: JobQueue, trade: Trade, terms: Terms, *, clock_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._queue = queue
        self._trade = trade
        self._terms = terms
        self._clock_ns = clock_ns
        self.name = f"{os.getpid()}-{secrets.token_hex(6)}"
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._turn = threading.Lock()
        self._held: frozenset[int] = frozenset()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to work in the background."""
        count = self._terms.threads
        self._threads = [threading.Thread(target=self._loop, name="jobs", daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()
        if count:
            threading.Thread(target=self._renew, name="leases", daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether every thread still works; one that met a bug has ended."""
        return all(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        """Take nothing new, and put off what was not begun."""
        self._stop.set()

    def close(self, wait_s: float = _CLOSING_S) -> None:
        """Stop, and wait for what is in work. Closing twice is allowed."""
        self.stop()
        end = time.monotonic() + wait_s
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        self._ended.set()

    def step(self) -> float:
        """Do one thing, if there is one; return how many seconds to rest before the next.

        Raises:
            StoreError: the catalog does not answer.
        """
        offers, only = self._terms.offers, self._terms.only
        job = self._queue.take_listing(self._lease(), offers, only=only)
        if job is not None:
            return self._list(job)
        task = self._queue.take(self._lease(), offers, only=only)
        if task is not None:
            return self._work(task)
        return 0.0 if self._queue.conclude(now_us=self._now_us()) else _IDLE_S

    def _loop(self) -> None:
        if self._terms.nice:
            # Linux knows priorities of threads; decoding and describing then give way to requests
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), self._terms.nice)
        while not self._stop.is_set():
            try:
                rest_s = self.step()
            except StoreError as error:
                log.warning("jobs_wait", error=str(error))
                rest_s = _FAULT_S
            self._stop.wait(rest_s)

    def _renew(self) -> None:
        while not self._ended.wait(self._terms.lease_s / 3):
            self.renew()

    def renew(self) -> None:
        """Renew the leases of what is in work, and let go of what was lost."""
        with self._turn:
            held = self._held
        if not held:
            return
        try:
            lost = held - self._queue.keep(held, self._lease())
        except StoreError as error:
            log.warning("jobs_wait", error=str(error))
            return
        with self._turn:
            self._held -= lost

    def _list(self, job: Job) -> float:
        """List a source into the queue, up to its end or until this worker stops."""
        try:
            ended = self._listed(job)
        except StoreError as error:
            again_us = self._now_us() + int(_FAULT_S * 1e6)
            self._queue.end_listing(job, self._lease(), error=str(error), again_us=again_us)
        except ArthurError as error:
            log.warning("job_failed", job=job.job_id, error=str(error))
            self._queue.end_listing(job, self._lease(), error=str(error))
        else:
            if ended:
                self._queue.end_listing(job, self._lease())
        return 0.0

    def _listed(self, job: Job) -> bool:
        """Queue a source; return whether its end was reached."""
        found = self._trade.open(job)
        while stretch := list(islice(found, _STRETCH)):
            if self._stop.is_set() or not self._queue.put_listing(job, self._lease(), listing_of(stretch)):
                return False
        return True

    def _work(self, task: Task) -> float:
        if task.tries >= _SPLIT_AFTER and len(task.items) > 1:
            self._queue.split(task, now_us=self._now_us())
            return 0.0
        if task.tries >= _GIVE_UP_AFTER:
            self._settle(task, Settlement(rejects=(_deadly(task),)))
            return 0.0
        self._hold(task.number)
        try:
            done = self._trade.work(task, lambda: self._stop.is_set() or task.number not in self._held)
            self._settle(task, done.settlement)
        except ArthurError as error:
            return self._put_off(task, error)
        finally:
            self._release(task.number)
        if done.fault:
            log.warning("jobs_wait", job=task.job.job_id, error=done.fault)
        return _FAULT_S if done.fault else 0.0

    def _put_off(self, task: Task, error: ArthurError) -> float:
        log.warning("jobs_wait", job=task.job.job_id, error=str(error))
        self._insist(lambda: self._queue.give_back(task, due_us=self._now_us() + int(_FAULT_S * 1e6)))
        return _FAULT_S

    def _settle(self, task: Task, settlement: Settlement) -> None:
        def note() -> None:
            if not self._queue.settle(task, settlement, now_us=self._now_us()):
                log.info("lease_lost", job=task.job.job_id, task=task.number)

        self._insist(note)
        self._queue.conclude(now_us=self._now_us())

    def _insist(self, call: Callable[[], None]) -> None:
        """Note what became of a group as soon as the catalog takes it; otherwise it would count as a death over it."""
        while True:
            try:
                return call()
            except StoreError as error:
                log.warning("jobs_wait", error=str(error))
                if self._stop.wait(self._terms.pause_s):
                    raise

    def _hold(self, number: int) -> None:
        with self._turn:
            self._held |= {number}

    def _release(self, number: int) -> None:
        with self._turn:
            self._held -= {number}

    def _lease(self) -> Lease:
        return Lease(self.name, self._now_us(), int(self._terms.lease_s * 1e6))

    def _now_us(self) -> int:
        return self._clock_ns() // 1000


def listing_of(found: Sequence[Found]) -> Listing:
    """Return a stretch of a source as rows for the queue."""
    items = [one.packed() for one in found if isinstance(one, Item)]
    rejects = tuple(Reject(one.place, one.reason) for one in found if isinstance(one, Refused))
    groups = tuple(tuple(items[at : at + GROUP]) for at in range(0, len(items), GROUP))
    return Listing(groups, rejects, found[-1].place if found else "")


def _deadly(task: Task) -> Reject:
    (item,) = task.items
    reason = f"{task.tries} workers died while they worked on it"
    return Reject(str(item["place"]), reason, item)
