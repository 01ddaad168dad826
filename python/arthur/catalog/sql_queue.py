"""The queue of jobs in an SQL database. See JobQueue.

Its transactions are short and touch rows of jobs alone. On PostgreSQL they go side by side and pass over rows that
another is about to take (SKIP LOCKED); on SQLite each is the only writer from its first look.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import groupby
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Row, and_, delete, exists, select, text, update

from arthur.catalog.chunks import chunked
from arthur.catalog.job_tables import job_hosts, job_tasks, jobs
from arthur.catalog.sql_jobs import Transaction, end_job, job_of, marked, put_rejects, put_tasks
from arthur.types import LIVE_STATES, Job, Lease, Listing, Settlement, Task

__all__ = ["SqlJobQueue"]

_MARK_US = 30 * 10**6
_HOST_KEPT_US = 3600 * 10**6
_TOGETHER = 32
_TURN = text(
    "INSERT INTO job_hosts (host, free_us) VALUES (:host, :after) ON CONFLICT (host) DO UPDATE SET free_us = "
    "CASE WHEN job_hosts.free_us > :now THEN job_hosts.free_us + :step ELSE :after END RETURNING free_us"
)


class SqlJobQueue:
    """See JobQueue. `queueing` begins a transaction of the queue, `writing` one of the only writer."""

    def __init__(self, reading: Transaction, queueing: Transaction, writing: Transaction) -> None:
        self._reading = reading
        self._queueing = queueing
        self._writing = writing

    def take_listing(self, lease: Lease, offers: Sequence[str], *, only: int | None = None) -> Job | None:
        """See JobQueue.take_listing."""
        free = (_workable(offers, only), jobs.c.listed == 0, jobs.c.lease_us <= lease.now_us)
        due = select(jobs).where(*free).order_by(jobs.c.number).limit(1)
        with self._reading() as connection:
            if connection.execute(due).first() is None:
                return None
        with self._queueing() as connection:
            row = connection.execute(due.with_for_update(skip_locked=True)).one_or_none()
            if row is None:
                return None
            _begin(connection, row, lease.now_us)
            taken = {"lister": lease.worker, "lease_us": lease.until_us, "error": ""}
            connection.execute(update(jobs).where(jobs.c.number == row.number).values(**taken))
        return job_of(row)

    def put_listing(self, job: Job, lease: Lease, listing: Listing) -> bool:
        """See JobQueue.put_listing."""
        mine = and_(jobs.c.number == job.number, jobs.c.lister == lease.worker, jobs.c.state.in_(LIVE_STATES))
        with self._queueing() as connection:
            row = connection.execute(select(jobs).where(mine).with_for_update()).one_or_none()
            if row is None:
                return False
            put_tasks(connection, job.number, listing.groups, lease.now_us)
            put_rejects(connection, job.number, listing.rejects, lease.now_us)
            grown = {"total": row.total + listing.size, "failed": row.failed + len(listing.rejects)}
            reached = {"cursor": listing.cursor, "lease_us": lease.until_us, "updated_us": lease.now_us}
            connection.execute(update(jobs).where(jobs.c.number == job.number).values(**grown, **reached))
        return True

    def end_listing(self, job: Job, lease: Lease, *, error: str = "", again_us: int = 0) -> None:
        """See JobQueue.end_listing."""
        mine = and_(jobs.c.number == job.number, jobs.c.lister == lease.worker)
        with self._writing() as connection:
            row = connection.execute(select(jobs).where(mine).with_for_update()).one_or_none()
            if row is None:
                return
            if error and not again_us and row.state in LIVE_STATES:
                end_job(connection, job_of(row), "failed", now_us=lease.now_us, error=error)
                return
            values = {"listed": int(not error), "error": error, "lister": "", "lease_us": again_us}
            connection.execute(update(jobs).where(mine).values(**values, updated_us=lease.now_us))

    def take(self, lease: Lease, offers: Sequence[str], *, only: int | None = None) -> Task | None:
        """See JobQueue.take."""
        free = and_(job_tasks.c.job == jobs.c.number, job_tasks.c.free_us <= lease.now_us)
        ready = select(jobs.c.number).where(_workable(offers, only), exists().where(free)).order_by(jobs.c.number)
        with self._reading() as connection:
            numbers = connection.scalars(ready).all()
        if not numbers:
            return None
        with self._queueing() as connection:
            for number in numbers:
                if (task := _take(connection, number, lease)) is not None:
                    return task
        return None

    def keep(self, numbers: Collection[int], lease: Lease) -> frozenset[int]:
        """See JobQueue.keep."""
        kept: list[int] = []
        with self._queueing() as connection:
            # in order, so that two who renew never wait for each other
            for number in sorted(numbers):
                mine = (job_tasks.c.number == number, job_tasks.c.worker == lease.worker)
                renewed = connection.execute(update(job_tasks).where(*mine).values(free_us=lease.until_us))
                kept.extend([number] * renewed.rowcount)
        return frozenset(kept)

    def give_back(self, task: Task, *, due_us: int) -> None:
        """See JobQueue.give_back."""
        with self._queueing() as connection:
            free = {"worker": "", "tries": task.tries, "free_us": due_us}
            connection.execute(update(job_tasks).where(_owned(task)).values(**free))

    def split(self, task: Task, *, now_us: int) -> None:
        """See JobQueue.split."""
        with self._queueing() as connection:
            if connection.execute(delete(job_tasks).where(_owned(task))).rowcount:
                put_tasks(connection, task.job.number, [(item,) for item in task.items], now_us, tries=1)

    def settle(self, task: Task, settlement: Settlement, *, now_us: int) -> bool:
        """See JobQueue.settle."""
        with self._queueing() as connection:
            if not connection.execute(delete(job_tasks).where(_owned(task))).rowcount:
                return False
            named = jobs.c.number == task.job.number
            row = connection.execute(select(jobs).where(named).with_for_update()).one()
            put_rejects(connection, row.number, settlement.rejects, now_us)
            for due_us, group in groupby(settlement.again, key=lambda one: one[1]):
                for items in chunked(item for item, _ in group):
                    parts = [items[at : at + _TOGETHER] for at in range(0, len(items), _TOGETHER)]
                    put_tasks(connection, row.number, parts, due_us)
            counts = {
                "imported": row.imported + settlement.imported,
                "skipped": row.skipped + settlement.skipped,
                "failed": row.failed + len(settlement.rejects),
            }
            marks = _moved_marks(row, now_us, sum(counts.values()))
            connection.execute(update(jobs).where(named).values(**counts, **marks, updated_us=now_us))
        return True

    def conclude(self, *, now_us: int) -> int:
        """See JobQueue.conclude."""
        left = exists().where(job_tasks.c.job == jobs.c.number)
        finished = select(jobs).where(jobs.c.state.in_(LIVE_STATES), jobs.c.listed == 1)
        with self._reading() as connection:
            numbers = connection.scalars(finished.with_only_columns(jobs.c.number).where(~left)).all()
        for number in numbers:
            with self._writing() as connection:
                row = connection.execute(finished.where(jobs.c.number == number).with_for_update()).one_or_none()
                # asked again, in a statement of its own: a retry that was waited for has queued what it took
                tasks = select(job_tasks.c.number).where(job_tasks.c.job == number).limit(1)
                if row is not None and connection.execute(tasks).one_or_none() is None:
                    end_job(connection, job_of(row), "done", now_us=now_us)
                    connection.execute(delete(job_hosts).where(job_hosts.c.free_us < now_us - _HOST_KEPT_US))
        return len(numbers)

    def turn(self, host: str, *, step_us: int, now_us: int) -> int:
        """See JobQueue.turn."""
        with self._queueing() as connection:
            asked = {"host": host, "now": now_us, "step": step_us, "after": now_us + step_us}
            return int(connection.execute(_TURN, asked).scalar_one()) - step_us


def _workable(offers: Sequence[str], only: int | None) -> ColumnElement[bool]:
    live = and_(jobs.c.state.in_(LIVE_STATES), jobs.c.needs.in_(offers))
    return live if only is None else and_(live, jobs.c.number == only)


def _owned(task: Task) -> ColumnElement[bool]:
    """Whether a group is still his who took it: of one worker's threads, too, each try is another."""
    return and_(
        job_tasks.c.number == task.number, job_tasks.c.worker == task.worker, job_tasks.c.tries == task.tries + 1
    )


def _take(connection: Connection, job: int, lease: Lease) -> Task | None:
    """Take the first free group of a job that may be worked on."""
    free = and_(job_tasks.c.job == job, job_tasks.c.free_us <= lease.now_us, jobs.c.state.in_(LIVE_STATES))
    first = select(job_tasks).join(jobs, jobs.c.number == job_tasks.c.job).where(free)
    first = first.order_by(job_tasks.c.number).limit(1).with_for_update(of=job_tasks, skip_locked=True)
    found = connection.execute(first).one_or_none()
    if found is None:
        return None
    taken = {"worker": lease.worker, "tries": found.tries + 1, "free_us": lease.until_us}
    connection.execute(update(job_tasks).where(job_tasks.c.number == found.number).values(**taken))
    row = connection.execute(select(jobs).where(jobs.c.number == job)).one()
    _begin(connection, row, lease.now_us)
    return Task(found.number, job_of(row), tuple(orjson.loads(found.items)), found.tries, lease.worker)


def _begin(connection: Connection, row: Row[Any], now_us: int) -> None:
    """Note that a job has begun, unless it has."""
    if row.state == "queued":
        waiting = and_(jobs.c.number == row.number, jobs.c.state == "queued")
        begun = {"state": "running", "begun_us": now_us, "updated_us": now_us, **marked(now_us, row.failed)}
        connection.execute(update(jobs).where(waiting).values(**begun))


def _moved_marks(row: Row[Any], now_us: int, done: int) -> dict[str, int]:
    """Return the marks between which the rate is measured: the older one is half a minute to a minute old."""
    if now_us - row.mark_us < _MARK_US:
        return {}
    return {"since_us": row.mark_us, "since_done": row.mark_done, "mark_us": now_us, "mark_done": done}
