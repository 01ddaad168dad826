"""What becomes of a group of pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from arthur.errors import BadRequest, EngineUnavailable, FetchError, HostUnavailable, StoreError
from arthur.jobs.importing import Import, Patience
from arthur.jobs.items import Item
from arthur.jobs.reading import Reader
from arthur.types import Job, Task, ViewId
from tests.models import BlockEncoder, House

NOW = 10**15
JOB = Job(1, "j", "import", {}, "", "running", True, 9, "", "", 0, 0, 0, NOW, NOW, None, NOW, NOW, 0)
PATIENCE = Patience(tries=3, chance=lambda: 1.0)


@pytest.fixture
def shelf(tmp_path: Path, picture: Callable[..., bytes]) -> Path:
    """Pictures 0.png to 9.png, one that is none, and one that is too large."""
    for seed in range(10):
        (tmp_path / f"{seed}.png").write_bytes(picture(seed))
    (tmp_path / "bad.png").write_bytes(b"no picture")
    (tmp_path / "large.png").write_bytes(b"0" * 100_001)
    return tmp_path


def web(url: str) -> bytes:
    """Say that one host is down, and that another has nothing."""
    raise (HostUnavailable if "down" in url else FetchError)(f"{url} does not answer")


def task(*names: str, tries: int = 0) -> Task:
    items = [Item(name, ViewId("a", name, "v"), name, "url" if "://" in name else "file", {}) for name in names]
    return Task(1, JOB, tuple(item.packed() for item in items), tries, "w")


@pytest.fixture
def run(house: House, shelf: Path) -> Iterator[Callable[..., Any]]:
    """Import a group: `run(task)`."""
    with ThreadPoolExecutor(2) as readers:
        reader = Reader(web, 100_000, shelf)
        yield Import(
            house.recognizer,
            house.catalog,
            read=reader,
            readers=readers,
            patience=PATIENCE,
            clock_ns=lambda: NOW * 1000,
        )


def test_pictures_are_imported_and_found(house: House, run: Any) -> None:
    done = run(task(*(f"{seed}.png" for seed in range(10))))
    assert (done.settlement.imported, done.fault, house.catalog.counts().views) == (10, "", 10)
    assert house.entries(3)[0] == "3.png"


def test_what_is_there_is_skipped(house: House, run: Any) -> None:
    run(task("0.png"))
    sequence = house.catalog.latest()
    done = run(task("0.png", "1.png")).settlement
    assert (done.imported, done.skipped, house.catalog.latest()) == (1, 1, sequence + 1)


def test_another_picture_or_other_metadata_is_imported_again(run: Any, shelf: Path) -> None:
    run(task("0.png", "1.png"))
    (shelf / "0.png").write_bytes((shelf / "9.png").read_bytes())
    again = task("0.png", "1.png")
    told = ({**again.items[1], "metadata": {"title": "Night"}},)
    assert run(replace(again, items=again.items[:1] + told)).settlement.imported == 2


def test_a_picture_without_a_vector_of_this_engine_is_imported_again(house: Any, run: Any) -> None:
    run(task("0.png"))
    house.catalog.rows.clear()
    assert run(task("0.png")).settlement.imported == 1


def test_what_a_dead_worker_put_is_made_whole_and_counted(house: Any, run: Any) -> None:
    begun = house.enroll("a/0.png/v", 0, source="0.png").stored
    house.blobs.kept.clear()
    later = replace(JOB, begun_us=int(begun.updated_at.timestamp() * 1e6))
    done = run(replace(task("0.png", tries=1), job=later)).settlement
    assert (done.imported, done.skipped, house.catalog.counts().views) == (1, 0, 1)
    assert len(house.blobs.kept) > 0
    before = replace(JOB, begun_us=later.begun_us + 1)
    assert run(replace(task("0.png", tries=1), job=before)).settlement.skipped == 1


@pytest.mark.parametrize("name", ["bad.png", "large.png", "missing.png", "http://museum.example/x.png"])
def test_what_is_no_picture_goes_into_quarantine_with_its_reason(run: Any, name: str) -> None:
    done = run(task("0.png", name)).settlement
    (reject,) = done.rejects
    assert (done.imported, reject.place, bool(reject.reason), reject.item["source"]) == (1, name, True, name)


def test_a_host_that_is_down_is_asked_later_and_in_the_end_no_more(run: Any) -> None:
    pauses = []
    group = task("http://down.example/x.png")
    while not (done := run(group).settlement).rejects:
        ((item, due_us),) = done.again
        pauses.append((due_us - NOW) / 1e6)
        group = replace(group, items=(item,))
    assert pauses == [10.0, 40.0]
    assert "tried 3 times" in done.rejects[0].reason
    assert done.rejects[0].item["tries"] == 0


def test_what_the_catalogue_refuses_costs_its_neighbours_nothing(
    house: Any, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = house.catalog.put

    def refuse(views: Any) -> Any:
        if any(new.view.entry_id == "1.png" for new in views):
            raise BadRequest("the metadata are longer than 64 KiB")
        return put(views)

    monkeypatch.setattr(house.catalog, "put", refuse)
    done = run(task("0.png", "1.png", "2.png")).settlement
    assert (done.imported, [reject.place for reject in done.rejects]) == (2, ["1.png"])


@pytest.mark.parametrize("fault", [StoreError("the disk is full"), EngineUnavailable("no service answers")])
def test_a_fault_of_the_service_costs_no_picture_a_try(
    house: Any, run: Any, fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise fault

    owner, name = (house.catalog, "put") if isinstance(fault, StoreError) else (BlockEncoder, "encode")
    monkeypatch.setattr(owner, name, fail)
    done = run(task("0.png", "1.png"))
    assert (done.fault, done.settlement.rejects, len(done.settlement.again)) == (str(fault), (), 2)
    assert {item["tries"] for item, _ in done.settlement.again} == {0}


def test_stopped_it_puts_off_what_was_not_read(house: House, run: Any) -> None:
    asked = iter([False, True, True])
    done = run(task(*["0.png"] * 20), lambda: next(asked)).settlement
    assert (done.imported, len(done.again)) == (8, 12)
