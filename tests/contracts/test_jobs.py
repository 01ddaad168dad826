"""Laws of every JobBook and JobQueue."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from arthur.catalog import Catalog, open_catalog
from arthur.errors import Conflict, NotFound
from arthur.types import Job, JobItem, Lease, Listing, NewJob, Reject, Settlement, Task

S = 10**6


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.service("postgresql"))])
def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Catalog]:
    url = f"sqlite:///{tmp_path}/catalog.db"
    opened = open_catalog(str(request.getfixturevalue("postgres")) if request.param == "postgresql" else url)
    yield opened
    opened.close()


@pytest.fixture
def put(catalog: Catalog) -> Callable[..., Job]:
    """Put a job whose groups are known: `put(2, 3)` has one of two items and one of three."""

    def new(*sizes: int, key: str = "", what: str = "a", needs: str = "", now_us: int = 0) -> Job:
        listing = Listing(groups(*sizes)) if sizes else None
        job = NewJob("import", {"what": what}, needs, key, listing)
        return catalog.jobs.put(job, now_us=now_us)[0]

    return new


def groups(*sizes: int) -> tuple[tuple[JobItem, ...], ...]:
    return tuple(tuple({"n": f"{group}.{n}"} for n in range(size)) for group, size in enumerate(sizes))


def by(worker: str, now_s: float = 0) -> Lease:
    return Lease(worker, int(now_s * S), 30 * S)


def take(catalog: Catalog, worker: str = "w", now_s: float = 0, *offers: str) -> Task:
    task = catalog.queue.take(by(worker, now_s), ("", *offers))
    assert task is not None
    return task


def settled(catalog: Catalog, task: Task, now_s: float = 0, **what: Any) -> bool:
    return catalog.queue.settle(task, Settlement(**what), now_us=int(now_s * S))


def reject(place: str, item: JobItem | None = None) -> Reject:
    return Reject(place, "it is no picture", item)


def test_a_job_is_put_and_found(catalog: Catalog, put: Callable[..., Job]) -> None:
    job = put(2, 3)
    assert (job.state, job.listed, job.total, job.done, job.spec) == ("queued", True, 5, 0, {"what": "a"})
    assert (catalog.jobs.job(job.job_id), catalog.jobs.latest()) == (job, job)


def test_a_job_that_is_not_there_is_not_found(catalog: Catalog) -> None:
    with pytest.raises(NotFound):
        catalog.jobs.job("none")
    assert catalog.jobs.latest() is None


def test_the_same_key_is_the_same_job(catalog: Catalog, put: Callable[..., Job]) -> None:
    job = put(2, key="k")
    assert catalog.jobs.put(NewJob("import", {"what": "a"}, "", "k"), now_us=9) == (job, False)
    with pytest.raises(Conflict):
        put(key="k", what="b")
    assert [put(key="other").number, put().number] == [job.number + 1, job.number + 2]


def test_jobs_are_listed_newest_first_page_by_page(catalog: Catalog, put: Callable[..., Job]) -> None:
    numbers = [put(1).number for _ in range(3)]
    catalog.jobs.change(put(1).job_id, "pause", now_us=1)
    found = catalog.jobs.jobs(before=None, limit=2, states=("queued",))
    assert [job.number for job in found] == [numbers[2], numbers[1]]
    assert [job.number for job in catalog.jobs.jobs(before=numbers[1], limit=2)] == [numbers[0]]


def test_each_group_is_taken_once(catalog: Catalog, put: Callable[..., Job]) -> None:
    put(1, 1)
    put(1)
    taken = [take(catalog, f"w{n}").number for n in range(3)]
    assert taken == sorted(set(taken))
    assert catalog.queue.take(by("w9"), ("",)) is None


def test_many_workers_never_take_the_same_group(catalog: Catalog, put: Callable[..., Job]) -> None:
    put(*[1] * 24)

    def work(worker: int) -> list[int]:
        taken = []
        while (task := catalog.queue.take(by(f"w{worker}"), ("",))) is not None:
            taken.append(task.number)
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [number for some in pool.map(work, range(4)) for number in some]
    assert len(taken) == len(set(taken)) == 24


def test_what_a_dead_worker_had_is_free_when_its_lease_ends(catalog: Catalog, put: Callable[..., Job]) -> None:
    put(1)
    first = take(catalog, "dead")
    assert catalog.queue.take(by("heir", 29), ("",)) is None
    again = take(catalog, "heir", 31)
    assert (again.number, first.tries, again.tries) == (first.number, 0, 1)
    assert not settled(catalog, first, imported=1)
    assert settled(catalog, again, imported=1)
    assert catalog.jobs.job(first.job.job_id).imported == 1


def test_a_lease_that_is_renewed_holds(catalog: Catalog, put: Callable[..., Job]) -> None:
    put(1, 1)
    mine, other = take(catalog, "w"), take(catalog, "other")
    assert catalog.queue.keep([mine.number, other.number], by("w", 20)) == {mine.number}
    assert take(catalog, "heir", 40).number == other.number
    assert catalog.queue.take(by("heir", 49), ("",)) is None


def test_a_group_that_is_given_back_was_not_tried(catalog: Catalog, put: Callable[..., Job]) -> None:
    put(1)
    catalog.queue.give_back(take(catalog), due_us=5 * S)
    assert catalog.queue.take(by("w", 4), ("",)) is None
    assert take(catalog, "w", 5).tries == 0


def test_a_group_is_split_to_find_the_item_at_fault(catalog: Catalog, put: Callable[..., Job]) -> None:
    put(3)
    catalog.queue.split(take(catalog), now_us=0)
    assert [take(catalog).items[0]["n"] for _ in range(3)] == ["0.0", "0.1", "0.2"]


def test_outcomes_are_counted_and_the_job_ends(catalog: Catalog, put: Callable[..., Job]) -> None:
    job = put(2, 2)
    assert settled(catalog, take(catalog), imported=1, skipped=1)
    assert catalog.queue.conclude(now_us=1) == 0
    assert settled(catalog, take(catalog), imported=1, rejects=(reject("row 4", {"n": 4}),))
    assert catalog.queue.conclude(now_us=7) == 1
    ended = catalog.jobs.job(job.job_id)
    assert (ended.state, ended.imported, ended.skipped, ended.failed, ended.ended_us) == ("done", 2, 1, 1, 7)


def test_an_item_that_may_pass_is_tried_again_later(catalog: Catalog, put: Callable[..., Job]) -> None:
    job = put(2)
    settled(catalog, take(catalog), imported=1, again=(({"n": "x"}, 5 * S),))
    assert (catalog.queue.conclude(now_us=1), catalog.queue.take(by("w", 4), ("",))) == (0, None)
    assert take(catalog, "w", 5).items == ({"n": "x"},)
    assert catalog.jobs.job(job.job_id).done == 1


def test_quarantine_is_listed_and_tried_anew(catalog: Catalog, put: Callable[..., Job]) -> None:
    job = put(3)
    settled(catalog, take(catalog), rejects=(reject("row 1", {"n": 1}), reject("row 2"), reject("row 3", {"n": 3})))
    catalog.queue.conclude(now_us=1)
    first, second, third = catalog.jobs.rejects(job.job_id, since=0, limit=9)
    assert (first.place, first.reason, second.item, third.item) == ("row 1", "it is no picture", None, {"n": 3})
    assert catalog.jobs.rejects(job.job_id, since=first.number, limit=1) == (second,)
    assert catalog.jobs.retry(job.job_id, [first.number, second.number], now_us=2) == 1
    again = catalog.jobs.job(job.job_id)
    assert (again.state, again.failed, take(catalog, "w", 1).items) == ("running", 2, ({"n": 1},))
    assert catalog.jobs.retry(job.job_id, None, now_us=2) == 1


def test_a_job_of_which_everything_failed_is_tried_again_whole(catalog: Catalog, put: Callable[..., Job]) -> None:
    job = put(600)
    settled(catalog, take(catalog), rejects=tuple(reject(f"row {n}", {"n": n}) for n in range(600)))
    catalog.queue.conclude(now_us=1)
    failed = catalog.jobs.job(job.job_id)
    assert (failed.state, failed.failed, catalog.jobs.retry(job.job_id, None, now_us=2)) == ("done", 600, 600)
    again = []
    while (task := catalog.queue.take(by("w", 1), ("",))) is not None:
        again += [item["n"] for item in task.items]
    assert (again, catalog.jobs.rejects(job.job_id, since=0, limit=9)) == (list(range(600)), ())


def test_a_paused_job_rests_until_it_is_resumed(catalog: Catalog, put: Callable[..., Job]) -> None:
    job = put(1, 1)
    task = take(catalog)
    for _ in range(2):
        assert catalog.jobs.change(job.job_id, "pause", now_us=1).state == "paused"
    assert catalog.queue.take(by("w"), ("",)) is None
    assert settled(catalog, task, imported=1)
    assert catalog.jobs.change(job.job_id, "resume", now_us=2).state == "running"
    assert take(catalog).job.imported == 1


def test_a_cancelled_job_is_over(catalog: Catalog, put: Callable[..., Job]) -> None:
    job = put(1, 1)
    task = take(catalog)
    assert catalog.jobs.change(job.job_id, "cancel", now_us=3).state == "cancelled"
    assert (settled(catalog, task, imported=1), catalog.queue.take(by("w"), ("",))) == (False, None)
    assert catalog.jobs.change(job.job_id, "cancel", now_us=4).ended_us == 3
    with pytest.raises(Conflict):
        catalog.jobs.change(job.job_id, "resume", now_us=5)
    with pytest.raises(Conflict):
        catalog.jobs.retry(job.job_id, None, now_us=5)


def test_a_job_goes_to_workers_that_have_what_it_needs(catalog: Catalog, put: Callable[..., Job]) -> None:
    put(1, needs="root")
    put(needs="root")
    assert catalog.queue.take(by("w"), ("",)) is None
    assert catalog.queue.take_listing(by("w"), ("",)) is None
    assert catalog.queue.take_listing(by("w"), ("", "root")) is not None
    assert take(catalog, "w", 0, "root").job.needs == "root"


def test_a_source_is_listed_by_one_worker_and_goes_on_after_its_death(
    catalog: Catalog, put: Callable[..., Job]
) -> None:
    put()
    job = catalog.queue.take_listing(by("dead"), ("",))
    assert job is not None
    assert catalog.queue.take_listing(by("heir", 29), ("",)) is None
    assert catalog.queue.put_listing(job, by("dead"), Listing(groups(2), (reject("bad"),), "row 3"))
    again = catalog.queue.take_listing(by("heir", 31), ("",))
    assert again is not None
    assert (again.cursor, again.total, again.failed) == ("row 3", 3, 1)
    assert not catalog.queue.put_listing(job, by("dead", 32), Listing(groups(2), (), "row 5"))
    catalog.queue.end_listing(again, by("heir", 33))
    settled(catalog, take(catalog), imported=2)
    assert catalog.queue.conclude(now_us=1) == 1
    assert catalog.jobs.job(job.job_id).state == "done"


def test_a_source_that_fails_is_tried_again_or_ends_the_job(catalog: Catalog, put: Callable[..., Job]) -> None:
    put()
    job = catalog.queue.take_listing(by("w"), ("",))
    assert job is not None
    catalog.queue.end_listing(job, by("w"), error="no answer", again_us=9 * S)
    assert (catalog.queue.take_listing(by("w", 8), ("",)), catalog.jobs.job(job.job_id).error) == (None, "no answer")
    again = catalog.queue.take_listing(by("w", 9), ("",))
    assert again is not None
    catalog.queue.end_listing(again, by("w", 9), error="row 5 is malformed")
    failed = catalog.jobs.job(job.job_id)
    assert (failed.state, failed.error) == ("failed", "row 5 is malformed")
    assert catalog.jobs.change(job.job_id, "resume", now_us=1).state == "running"
    assert catalog.queue.take_listing(by("w", 10), ("",)) is not None


def test_the_rate_is_that_of_late_and_tells_how_long_it_takes(catalog: Catalog, put: Callable[..., Job]) -> None:
    job = put(*[10] * 8)
    for second in (10, 20, 60, 70):
        settled(catalog, take(catalog), second, imported=10)
    now = catalog.jobs.job(job.job_id)
    assert (now.since_us, now.since_done) == (0, 0)
    settled(catalog, take(catalog), 95, imported=10)
    now = catalog.jobs.job(job.job_id)
    assert (now.since_us, now.since_done, now.done) == (60 * S, 30, 50)
    assert (now.rate(100 * S), now.eta_s(100 * S)) == (pytest.approx(0.5), pytest.approx(60))


def test_a_host_is_asked_one_step_after_the_other(catalog: Catalog) -> None:
    turns = [catalog.queue.turn("museum.example", step_us=100, now_us=1000) for _ in range(3)]
    assert turns == [1000, 1100, 1200]
    assert catalog.queue.turn("other.example", step_us=100, now_us=1000) == 1000
    assert catalog.queue.turn("museum.example", step_us=100, now_us=5000) == 5000


@pytest.mark.parametrize("end", ["done", "cancelled"])
def test_webhooks_hear_of_the_end_of_a_job_once(catalog: Catalog, put: Callable[..., Job], end: str) -> None:
    catalog.outbox.put_webhook("https://example.org/", b"s" * 32, (), now_us=0)
    job = put(1)
    settled(catalog, take(catalog), imported=1)
    for _ in range(2):
        if end == "done":
            catalog.queue.conclude(now_us=1)
        else:
            catalog.jobs.change(job.job_id, "cancel", now_us=1)
    (notice,) = catalog.outbox.notices(0, 10)
    facts = {"job": job.job_id, "state": end, "imported": 1, "skipped": 0, "failed": 0}
    assert (notice.kind, notice.facts) == ("import.finished", facts)
