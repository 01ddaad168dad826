"""Ports of durable jobs: the book in which they stand, and the queue from which workers take them.

A job's items are listed into groups, one row each. A worker takes a group for the time of a lease, which it renews
while it works; what a dead worker had is free again when its lease ends. The outcome of a group and the end of its row
are one transaction, which only who has the lease can make, so that nothing is counted twice.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from arthur.types import Job, JobState, JobWish, Lease, Listing, NewJob, Reject, Settlement, Task

__all__ = ["JobBook", "JobQueue"]


class JobBook(Protocol):
    """Jobs, for people. Every method may be called from any thread, and blocks.

    Any method raises StoreError as those of Catalog do.
    """

    def put(self, job: NewJob, *, now_us: int) -> tuple[Job, bool]:
        """Put a job; return it, and whether it is new. The same idempotency key gives the same job.

        Raises:
            Conflict: the key was given to a job that does something else.
        """
        ...

    def job(self, job_id: str) -> Job:
        """Return a job.

        Raises:
            NotFound: there is none of that id.
        """
        ...

    def jobs(self, *, before: int | None, limit: int, states: Collection[JobState] = ()) -> tuple[Job, ...]:
        """Return up to `limit` jobs with a number below `before`, newest first; of no states: of all."""
        ...

    def latest(self) -> Job | None:
        """Return the job to which something happened last."""
        ...

    def change(self, job_id: str, wish: JobWish, *, now_us: int) -> Job:
        """Pause, resume or cancel a job; doing it twice changes nothing. Groups in work are finished all the same.

        A job whose listing failed can be resumed: it is listed on from where it was.

        Raises:
            NotFound: there is none of that id.
            Conflict: it has ended otherwise.
        """
        ...

    def rejects(self, job_id: str, *, since: int, limit: int) -> tuple[Reject, ...]:
        """Return up to `limit` items in quarantine with a number above `since`, in order.

        Raises:
            NotFound: there is no job of that id.
        """
        ...

    def retry(self, job_id: str, numbers: Collection[int] | None, *, now_us: int) -> int:
        """Take items out of quarantine, all or those with these numbers, and queue them anew; return how many.

        A job that had ended begins again. What names no item stays in quarantine.

        Raises:
            NotFound: there is no job of that id.
            Conflict: it was cancelled.
        """
        ...


class JobQueue(Protocol):
    """Jobs, for workers. Every method may be called from any thread, and blocks.

    Any method raises StoreError as those of Catalog do. `offers` are what a worker has that a job may need; `only` is
    the number of the one job that it works on.
    """

    def take_listing(self, lease: Lease, offers: Sequence[str], *, only: int | None = None) -> Job | None:
        """Return a job whose source has to be listed, and which nobody lists; the oldest first."""
        ...

    def put_listing(self, job: Job, lease: Lease, listing: Listing) -> bool:
        """Queue a stretch of the source and renew the lease; False if the job or the lease is gone: list no more."""
        ...

    def end_listing(self, job: Job, lease: Lease, *, error: str = "", again_us: int = 0) -> None:
        """Note that the source was read to its end, or why not; `again_us` is when that may be tried again, 0 never."""
        ...

    def take(self, lease: Lease, offers: Sequence[str], *, only: int | None = None) -> Task | None:
        """Return a group that nobody works on; the oldest job first. Costs a short read when there is none."""
        ...

    def keep(self, numbers: Collection[int], lease: Lease) -> frozenset[int]:
        """Renew the leases of groups; return those that the worker still has."""
        ...

    def give_back(self, task: Task, *, due_us: int) -> None:
        """Let go of a group without an outcome, and not because of it; nobody takes it before `due_us`."""
        ...

    def split(self, task: Task, *, now_us: int) -> None:
        """Queue each item of a group by itself, so that the one at fault is found; a worker died over each already."""
        ...

    def settle(self, task: Task, settlement: Settlement, *, now_us: int) -> bool:
        """Note the outcome of a group and end it; False, and nothing noted, if the lease was lost to another."""
        ...

    def conclude(self, *, now_us: int) -> int:
        """End the jobs of which nothing is left to do, and tell webhooks; return how many."""
        ...

    def turn(self, host: str, *, step_us: int, now_us: int) -> int:
        """Return when a host may be asked next, and let others ask it `step_us` later, over all workers."""
        ...
