"""Jobs: long work that many workers share, in groups, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from arthur.types.names import JsonValue

JobKind: TypeAlias = Literal["import"]
JobState: TypeAlias = Literal["queued", "running", "paused", "done", "failed", "cancelled"]
JOB_STATES: tuple[JobState, ...] = ("queued", "running", "paused", "done", "failed", "cancelled")
LIVE_STATES: tuple[JobState, ...] = ("queued", "running")
"""Of a job that workers take."""
JobWish: TypeAlias = Literal["pause", "resume", "cancel"]

JobItem: TypeAlias = Mapping[str, JsonValue]
"""One piece of a job, as the kind of job writes it."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be begun.

    Attributes:
        spec: what is to be done, as the kind of job writes it.
        needs: what a worker must offer to take it; "" for nothing.
        idempotency_key: the same key is the same job; "" for none.
        listing: all items, where they are known already; else workers list the source.
    """

    kind: JobKind
    spec: Mapping[str, JsonValue]
    needs: str = ""
    idempotency_key: str = ""
    listing: Listing | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands. Times are microseconds since 1970 UTC.

    Attributes:
        number: grows with each job.
        listed: whether `total` is final: the source was read to its end.
        total: items that were found.
        cursor: place of the last item that was found.
        error: why listing failed, or is being tried again.
        imported, skipped, failed: items of each outcome; what failed is in quarantine.
        since_us, since_done: a moment half a minute to a minute ago, and the items done by then.
    """

    number: int
    job_id: str
    kind: JobKind
    spec: Mapping[str, JsonValue]
    needs: str
    state: JobState
    listed: bool
    total: int
    cursor: str
    error: str
    imported: int
    skipped: int
    failed: int
    created_us: int
    begun_us: int | None
    ended_us: int | None
    updated_us: int
    since_us: int
    since_done: int

    @property
    def done(self) -> int:
        """Items whose outcome is known."""
        return self.imported + self.skipped + self.failed

    @property
    def ended(self) -> bool:
        """Whether nobody works on it any more; one that failed can still be resumed."""
        return self.state in ("done", "failed", "cancelled")

    def rate(self, now_us: int) -> float | None:
        """Items a second over the last half to one minute; None while nothing is known."""
        spent_us, did = now_us - self.since_us, self.done - self.since_done
        return did * 1e6 / spent_us if self.state == "running" and did and spent_us > 0 else None

    def eta_s(self, now_us: int) -> float | None:
        """Seconds until its end at that rate; None while the rate or the total is not known."""
        rate = self.rate(now_us)
        return (self.total - self.done) / rate if rate and self.listed else None


@dataclass(frozen=True, slots=True)
class Lease:
    """Who works on something, and how long nobody else does. Times are microseconds.

    Attributes:
        worker: a name that no other worker has.
    """

    worker: str
    now_us: int
    lease_us: int

    @property
    def until_us(self) -> int:
        """When it ends."""
        return self.now_us + self.lease_us


@dataclass(frozen=True, slots=True)
class Task:
    """A group of items that one worker works on.

    Attributes:
        tries: how many workers took it before and neither finished it nor gave it back.
        worker: who has it.
    """

    number: int
    job: Job
    items: tuple[JobItem, ...]
    tries: int
    worker: str


@dataclass(frozen=True, slots=True)
class Reject:
    """An item that failed for good, with its reason.

    Attributes:
        number: by which it is known, 0 before it is kept.
        item: None where the source's place named no item, so that there is nothing to try again.
    """

    place: str
    reason: str
    item: JobItem | None = None
    at_us: int = 0
    number: int = 0


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a task.

    Attributes:
        again: items to be tried again, each with the microsecond before which it is not.
    """

    imported: int = 0
    skipped: int = 0
    rejects: tuple[Reject, ...] = ()
    again: tuple[tuple[JobItem, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """A stretch of a source.

    Attributes:
        groups: items, in groups that are worked on together.
        cursor: place of the stretch's last item.
    """

    groups: tuple[tuple[JobItem, ...], ...]
    rejects: tuple[Reject, ...] = field(default=())
    cursor: str = ""

    @property
    def size(self) -> int:
        """How many places of the source it covers."""
        return sum(map(len, self.groups)) + len(self.rejects)
