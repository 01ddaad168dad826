"""The book of jobs in an SQL database. See JobBook."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

import orjson
from sqlalchemy import Connection, Row, Select, delete, insert, select, update

from arthur.catalog.chunks import chunked
from arthur.catalog.job_tables import job_rejects, job_tasks, jobs
from arthur.catalog.sql_outbox import put_notice
from arthur.errors import Conflict, NotFound
from arthur.types import Job, JobItem, JobState, JobWish, NewJob, Reject

__all__ = ["SqlJobBook", "end_job", "job_of", "marked", "put_rejects", "put_tasks"]

Transaction: TypeAlias = Callable[[], AbstractContextManager[Connection]]
_ID_BYTES = 10
_AT_ONCE = 480
_TOGETHER = 32
_FROM: Mapping[JobWish, tuple[JobState, ...]] = {
    "pause": ("queued", "running"),
    "resume": ("paused", "failed"),
    "cancel": ("queued", "running", "paused", "failed"),
}
_ALREADY: Mapping[JobWish, tuple[JobState, ...]] = {
    "pause": ("paused",),
    "resume": ("queued", "running"),
    "cancel": ("cancelled",),
}


class SqlJobBook:
    """See JobBook. `reading` and `writing` begin a transaction each; there is one writer at a time."""

    def __init__(self, reading: Transaction, writing: Transaction) -> None:
        self._reading = reading
        self._writing = writing

    def put(self, job: NewJob, *, now_us: int) -> tuple[Job, bool]:
        """See JobBook.put."""
        with self._writing() as connection:
            if job.idempotency_key:
                known = connection.execute(select(jobs).where(jobs.c.idempotency_key == job.idempotency_key))
                if (row := known.one_or_none()) is not None:
                    return _same(job_of(row), job), False
            number = connection.scalar(insert(jobs).values(**_row(job, now_us)).returning(jobs.c.number))
            if job.listing is not None and number is not None:
                put_tasks(connection, number, job.listing.groups, now_us)
                put_rejects(connection, number, job.listing.rejects, now_us)
            row = connection.execute(select(jobs).where(jobs.c.number == number)).one()
        return job_of(row), True

    def job(self, job_id: str) -> Job:
        """See JobBook.job."""
        with self._reading() as connection:
            return _named(connection, select(jobs), job_id)

    def jobs(self, *, before: int | None, limit: int, states: Collection[JobState] = ()) -> tuple[Job, ...]:
        """See JobBook.jobs."""
        query = select(jobs).order_by(jobs.c.number.desc()).limit(limit)
        if before is not None:
            query = query.where(jobs.c.number < before)
        if states:
            query = query.where(jobs.c.state.in_(states))
        with self._reading() as connection:
            return tuple(map(job_of, connection.execute(query)))

    def latest(self) -> Job | None:
        """See JobBook.latest."""
        query = select(jobs).order_by(jobs.c.updated_us.desc(), jobs.c.number.desc()).limit(1)
        with self._reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else job_of(row)

    def change(self, job_id: str, wish: JobWish, *, now_us: int) -> Job:
        """See JobBook.change."""
        with self._writing() as connection:
            job = _named(connection, select(jobs).with_for_update(), job_id)
            if job.state not in (*_FROM[wish], *_ALREADY[wish]):
                raise Conflict(f"the job is {job.state}, so you cannot {wish} it")
            if job.state in _FROM[wish]:
                _change(connection, job, wish, now_us)
            job = _named(connection, select(jobs), job_id)
        if wish == "cancel":
            self._drop_tasks(job)
        return job

    def rejects(self, job_id: str, *, since: int, limit: int) -> tuple[Reject, ...]:
        """See JobBook.rejects."""
        with self._reading() as connection:
            job = _named(connection, select(jobs), job_id)
            query = select(job_rejects).where(job_rejects.c.job == job.number, job_rejects.c.number > since)
            return tuple(map(_reject, connection.execute(query.order_by(job_rejects.c.number).limit(limit))))

    def retry(self, job_id: str, numbers: Collection[int] | None, *, now_us: int) -> int:
        """See JobBook.retry. In transactions of bounded size."""
        if self.job(job_id).state == "cancelled":
            raise Conflict("the job was cancelled")
        if numbers is not None:
            return sum(self._retry_some(job_id, chunk, now_us) for chunk in chunked(numbers))
        return sum(iter(lambda: self._retry_some(job_id, None, now_us), 0))

    def _retry_some(self, job_id: str, numbers: Sequence[int] | None, now_us: int) -> int:
        with self._writing() as connection:
            job = _named(connection, select(jobs).with_for_update(), job_id)
            query = select(job_rejects).where(job_rejects.c.job == job.number, job_rejects.c.item.is_not(None))
            if numbers is not None:
                query = query.where(job_rejects.c.number.in_(numbers))
            rows = connection.execute(query.order_by(job_rejects.c.number).limit(_AT_ONCE)).all()
            if not rows:
                return 0
            items = [_reject(row).item or {} for row in rows]
            put_tasks(connection, job.number, [items[at : at + _TOGETHER] for at in range(0, len(items), _TOGETHER)], 0)
            connection.execute(delete(job_rejects).where(job_rejects.c.number.in_([row.number for row in rows])))
            again = {"state": "running", "ended_us": None} if job.state in ("done", "failed") else {}
            failed = job.failed - len(rows)
            values = {**again, "failed": failed, **marked(now_us, job.done - len(rows)), "updated_us": now_us}
            connection.execute(update(jobs).where(jobs.c.number == job.number).values(**values))
        return len(rows)

    def _drop_tasks(self, job: Job) -> None:
        """Delete what a cancelled job had still to do, in transactions of bounded size."""
        more = True
        while more:
            with self._writing() as connection:
                some = select(job_tasks.c.number).where(job_tasks.c.job == job.number).limit(_AT_ONCE)
                numbers = connection.scalars(some).all()
                connection.execute(delete(job_tasks).where(job_tasks.c.number.in_(numbers)))
                more = len(numbers) == _AT_ONCE


def job_of(row: Row[Any]) -> Job:
    """Return a row as a Job."""
    fields = {name: value for name, value in row._mapping.items() if name in Job.__dataclass_fields__}
    return Job(**{**fields, "spec": orjson.loads(row.spec), "listed": bool(row.listed)})


def marked(now_us: int, done: int) -> dict[str, int]:
    """Return the values from which a rate is measured anew."""
    return {"since_us": now_us, "since_done": done, "mark_us": now_us, "mark_done": done}


def put_tasks(
    connection: Connection, job: int, groups: Iterable[Sequence[JobItem]], free_us: int, *, tries: int = 0
) -> None:
    """Queue groups of items, which nobody takes before `free_us`."""
    free = {"job": job, "tries": tries, "free_us": free_us, "worker": ""}
    kept = [{**free, "items": _text(group)} for group in groups]
    if kept:
        connection.execute(insert(job_tasks), kept)


def put_rejects(connection: Connection, job: int, rejects: Iterable[Reject], now_us: int) -> None:
    """Put items into quarantine."""
    kept = [
        {
            "job": job,
            "at_us": now_us,
            "place": one.place,
            "reason": one.reason,
            "item": None if one.item is None else _text(one.item),
        }
        for one in rejects
    ]
    if kept:
        connection.execute(insert(job_rejects), kept)


def end_job(connection: Connection, job: Job, state: JobState, *, now_us: int, error: str = "") -> None:
    """End a job and tell webhooks, in a transaction of the only writer."""
    values = {"state": state, "error": error, "ended_us": now_us, "updated_us": now_us, "lister": "", "lease_us": 0}
    connection.execute(update(jobs).where(jobs.c.number == job.number).values(**values))
    counts = {"imported": job.imported, "skipped": job.skipped, "failed": job.failed}
    put_notice(connection, "import.finished", {"job": job.job_id, "state": state, **counts}, now_us=now_us)


def _change(connection: Connection, job: Job, wish: JobWish, now_us: int) -> None:
    if wish == "cancel":
        end_job(connection, job, "cancelled", now_us=now_us)
        return
    going = "queued" if job.begun_us is None else "running"
    values: dict[str, Any] = {"state": "paused" if wish == "pause" else going, "updated_us": now_us}
    if wish == "resume":
        values |= {"error": "", "ended_us": None, "lister": "", "lease_us": 0, **marked(now_us, job.done)}
    connection.execute(update(jobs).where(jobs.c.number == job.number).values(**values))


def _named(connection: Connection, query: Select[*tuple[Any, ...]], job_id: str) -> Job:
    row = connection.execute(query.where(jobs.c.job_id == job_id)).one_or_none()
    if row is None:
        raise NotFound(f"there is no job {job_id}")
    return job_of(row)


def _same(known: Job, job: NewJob) -> Job:
    """Return a job that is known under a key. Raises Conflict when something else is asked for under it."""
    if (known.kind, known.spec) != (job.kind, job.spec):
        raise Conflict("this idempotency key was given to a job that does something else")
    return known


def _row(job: NewJob, now_us: int) -> dict[str, Any]:
    listing = job.listing
    return {
        "job_id": secrets.token_hex(_ID_BYTES),
        "kind": job.kind,
        "spec": _text(job.spec),
        "needs": job.needs,
        "state": "queued",
        "idempotency_key": job.idempotency_key or None,
        "cursor": "",
        "error": "",
        "lister": "",
        "listed": int(listing is not None),
        "total": 0 if listing is None else listing.size,
        "imported": 0,
        "skipped": 0,
        "failed": 0 if listing is None else len(listing.rejects),
        "created_us": now_us,
        "updated_us": now_us,
        "lease_us": 0,
        **marked(now_us, 0),
    }


def _reject(row: Row[Any]) -> Reject:
    item = None if row.item is None else orjson.loads(row.item)
    return Reject(place=row.place, reason=row.reason, item=item, at_us=row.at_us, number=row.number)


def _text(value: object) -> str:
    return orjson.dumps(value).decode()
