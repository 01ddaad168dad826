"""What a worker does with the queue: real queue, a trade that is told what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from arthur.catalog import Catalog, open_catalog
from arthur.errors import BadRequest, StoreError
from arthur.jobs.importing import GROUP, GroupImport
from arthur.jobs.items import Found, Item, Refused
from arthur.jobs.working import Terms, Worker
from arthur.types import Job, Lease, NewJob, Settlement, Task, ViewId

S = 10**6


class ModelTrade:
    """Lists `found`, and does each group by `do`."""

    def __init__(self) -> None:
        self.found: list[Found] = []
        self.do: Callable[[Task, Callable[[], bool]], GroupImport] = done
        self.fault: Exception | None = None
        self.groups: list[list[str]] = []

    def open(self, job: Job) -> Iterator[Found]:
        if self.fault is not None:
            raise self.fault
        places = [one.place for one in self.found]
        return iter(self.found[places.index(job.cursor) + 1 if job.cursor else 0 :])

    def work(self, task: Task, stopped: Callable[[], bool]) -> GroupImport:
        self.groups.append([str(item["place"]) for item in task.items])
        return self.do(task, stopped)


def done(task: Task, _: Callable[[], bool]) -> GroupImport:
    return GroupImport(Settlement(imported=len(task.items)))


def items(count: int) -> list[Found]:
    return [Item(f"row {n:03}", ViewId("a", str(n), "v"), "x.jpg", "file") for n in range(count)]


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with closing(open_catalog(f"sqlite:///{tmp_path}/catalog.db")) as opened:
        yield opened


@pytest.fixture
def trade() -> ModelTrade:
    return ModelTrade()


@pytest.fixture
def now() -> list[float]:
    """The time in seconds, which tests move."""
    return [1000.0]


@pytest.fixture
def worker(catalog: Catalog, trade: ModelTrade, now: list[float]) -> Callable[..., Worker]:
    def new(**terms: Any) -> Worker:
        return Worker(catalog.queue, trade, Terms(**terms), clock_ns=lambda: int(now[0] * 1e9))

    return new


@pytest.fixture
def job(catalog: Catalog) -> Job:
    return catalog.jobs.put(NewJob("import", {}), now_us=0)[0]


def work(worker: Worker, now: list[float]) -> None:
    """Let a worker work until it has nothing to do for ten minutes."""
    for _ in range(60):
        now[0] += min(worker.step(), 30)


def test_a_source_is_listed_and_done_in_groups(
    catalog: Catalog, trade: ModelTrade, worker: Any, job: Job, now: Any
) -> None:
    trade.found = [*items(2 * GROUP + 1), Refused("row bad", "it is not JSON")]
    work(worker(), now)
    ended = catalog.jobs.job(job.job_id)
    assert (ended.state, ended.imported, ended.failed, ended.total) == ("done", 2 * GROUP + 1, 1, 2 * GROUP + 2)
    assert [len(group) for group in trade.groups] == [GROUP, GROUP, 1]


def test_a_source_that_does_not_answer_is_asked_again(
    catalog: Catalog, trade: ModelTrade, worker: Any, job: Job, now: Any
) -> None:
    trade.found, trade.fault = items(3), StoreError("the object store does not answer")
    mine = worker()
    mine.step()
    assert catalog.jobs.job(job.job_id).error == "the object store does not answer"
    trade.fault = None
    work(mine, now)
    assert (catalog.jobs.job(job.job_id).state, catalog.jobs.job(job.job_id).error) == ("done", "")


def test_a_malformed_source_fails_and_goes_on_when_it_is_mended(
    catalog: Catalog, trade: ModelTrade, worker: Any, job: Job, now: Any
) -> None:
    trade.found, trade.fault = items(3), BadRequest("row 2 is malformed")
    work(worker(), now)
    assert (catalog.jobs.job(job.job_id).state, catalog.jobs.job(job.job_id).error) == ("failed", "row 2 is malformed")
    trade.fault = None
    catalog.jobs.change(job.job_id, "resume", now_us=int(now[0] * S))
    work(worker(), now)
    assert catalog.jobs.job(job.job_id).imported == 3


def test_work_that_cannot_be_done_now_is_left_and_taken_up_again(
    catalog: Catalog, trade: ModelTrade, worker: Any, job: Job, now: Any
) -> None:
    trade.found, faults = items(3), [StoreError("the source is not there")] * 12

    def fail_first(task: Task, stopped: Any) -> GroupImport:
        if faults:
            raise faults.pop()
        return done(task, stopped)

    trade.do = fail_first
    work(worker(), now)
    assert (catalog.jobs.job(job.job_id).imported, len(trade.groups)) == (3, 13)


def test_an_item_over_which_workers_die_is_found_and_quarantined(
    catalog: Catalog, trade: ModelTrade, worker: Any, job: Job, now: Any
) -> None:
    trade.found = items(5)

    def die_over_two(task: Task, stopped: Any) -> GroupImport:
        if any(item["place"] == "row 002" for item in task.items):
            raise KeyboardInterrupt
        return done(task, stopped)

    trade.do = die_over_two
    deaths = 0
    while not catalog.jobs.job(job.job_id).ended:
        try:
            now[0] += worker().step()
        except KeyboardInterrupt:
            deaths, now[0] = deaths + 1, now[0] + 31
    ended = catalog.jobs.job(job.job_id)
    (reject,) = catalog.jobs.rejects(job.job_id, since=0, limit=9)
    assert (ended.imported, ended.failed, reject.place) == (4, 1, "row 002")
    assert "workers died while they worked on it" in reject.reason
    assert deaths >= 10


def test_who_loses_a_lease_stops_and_counts_nothing(
    catalog: Catalog, trade: ModelTrade, worker: Any, job: Job, now: Any
) -> None:
    trade.found = items(3)
    slow = worker()
    stopped_then: list[bool] = []

    def lose(task: Task, stopped: Any) -> GroupImport:
        assert not stopped()
        now[0] += 31
        assert catalog.queue.take(Lease("heir", int(now[0] * S), 30 * S), ("",)) is not None
        slow.renew()
        stopped_then.append(stopped())
        return done(task, stopped)

    trade.do = lose
    slow.step()
    slow.step()
    assert stopped_then == [True]
    assert catalog.jobs.job(job.job_id).imported == 0


def test_a_lease_is_renewed_while_the_work_lasts(
    catalog: Catalog, trade: ModelTrade, worker: Any, job: Job, now: Any
) -> None:
    trade.found = items(3)
    slow = worker()

    def last(task: Task, stopped: Any) -> GroupImport:
        for _ in range(5):
            now[0] += 20
            slow.renew()
            assert catalog.queue.take(Lease("heir", int(now[0] * S), 30 * S), ("",)) is None
        return done(task, stopped)

    trade.do = last
    work(slow, now)
    assert catalog.jobs.job(job.job_id).imported == 3


def test_an_outcome_is_noted_as_soon_as_the_catalogue_takes_it(
    catalog: Catalog, trade: ModelTrade, worker: Any, job: Job, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    trade.found, settle, faults = items(3), catalog.queue.settle, [StoreError("the disk is full")] * 20

    def fail_first(*given: Any, **more: Any) -> bool:
        if faults:
            raise faults.pop()
        return settle(*given, **more)

    monkeypatch.setattr(catalog.queue, "settle", fail_first)
    work(worker(pause_s=0.0), now)
    assert (catalog.jobs.job(job.job_id).imported, len(trade.groups)) == (3, 1)


def test_of_several_jobs_only_the_one_that_is_named_is_done(
    catalog: Catalog, trade: ModelTrade, worker: Any, job: Job, now: Any
) -> None:
    other = catalog.jobs.put(NewJob("import", {}), now_us=0)[0]
    trade.found = items(3)
    work(worker(only=other.number), now)
    assert [catalog.jobs.job(one.job_id).state for one in (job, other)] == ["queued", "done"]


def test_threads_share_a_job_and_end_when_they_are_told_to(
    catalog: Catalog, trade: ModelTrade, worker: Any, job: Job
) -> None:
    trade.found = items(20 * GROUP)
    many = worker(threads=3)
    many.start()
    while not catalog.jobs.job(job.job_id).ended:
        assert many.alive
    many.close()
    assert not many.alive
    assert catalog.jobs.job(job.job_id).imported == 20 * GROUP
    assert len({place for group in trade.groups for place in group}) == 20 * GROUP
