"""Claims of moving a catalogue to another database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import delete, text

from arthur.catalog import Catalog, open_catalog
from arthur.catalog.comparing import checksum
from arthur.catalog.database import Database
from arthur.catalog.moving import Moved, move
from arthur.catalog.opening import open_database
from arthur.catalog.schema import embeddings, metadata
from arthur.catalog.sql import SqlCatalog
from arthur.errors import Conflict, StoreError
from arthur.types import (
    Lease,
    Likeness,
    Listing,
    LocalFeatures,
    LoggedMatch,
    NewJob,
    NewView,
    Reject,
    Settlement,
    ViewId,
)

Copy = Callable[[], Moved]


@pytest.fixture(
    params=[
        ("sqlite", "sqlite"),
        pytest.param(("sqlite", "postgresql"), marks=pytest.mark.service("postgresql")),
        pytest.param(("postgresql", "sqlite"), marks=pytest.mark.service("postgresql")),
    ],
    ids="-".join,
)
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    return [
        str(request.getfixturevalue("postgres")) if name == "postgresql" else f"sqlite:///{tmp_path}/{place}.db"
        for place, name in enumerate(request.param)
    ]


@pytest.fixture
def databases(urls: list[str]) -> Iterator[list[Database]]:
    opened = [open_database(url) for url in urls]
    yield opened
    for database in opened:
        database.close()


@pytest.fixture
def source(databases: list[Database]) -> Catalog:
    return SqlCatalog(databases[0])


@pytest.fixture
def copy(databases: list[Database]) -> Copy:
    return lambda: move(*databases, lambda *_: None)


def new(name: str, seed: int = 0) -> NewView:
    vector = np.random.default_rng(seed).standard_normal(8).astype(np.float32)
    row = NewView(
        ViewId(*name.split("/")), vector / np.linalg.norm(vector), "f", "h", "s", "jpeg", 3, 2, 1, {"ü": seed}
    )
    return replace(row, features=LocalFeatures("verifier", bytes([seed, 0, 255]))) if seed % 2 else row


def fill(catalog: Catalog) -> None:
    """Puts, replacements, removals, names that came back, likenesses, a note, logged answers, and a job under way."""
    catalog.put([new(f"artist {i % 4}/entry {i % 7}/{i}", i) for i in range(60)])
    catalog.put([new(f"artist {i % 4}/entry {i % 7}/{i}", 100 + i) for i in range(0, 60, 5)])
    catalog.remove("artist 1")
    catalog.remove("artist 2", "entry 2")
    catalog.put([new("artist 1/entry 1/again", 7)])
    keys = catalog.changes(0, 1000, "f").keys.tolist()
    catalog.put_likenesses([Likeness(keys[5], keys[3], "duplicate", 0.1 + 0.2, 1 / 3, None, None)])
    catalog.put_note("calibration", "é")
    catalog.match_log.put([LoggedMatch(5, "p", "match", "artist 3", "entry 3", 0.1 + 0.2, 1 / 3, "engine")])
    catalog.match_log.put([LoggedMatch(6, "q", "no_match", None, None, 0.0, 2.5, "engine")])
    catalog.jobs.put(NewJob("import", {"path": "ü"}, listing=Listing((({"n": 1}, {"n": 2}), ({"n": 3},)))), now_us=1)
    work(catalog, imported=1, rejects=(Reject("row 2", "é", {"n": 2}),))


def work(catalog: Catalog, **outcome: Any) -> None:
    """Take the next group of a job and settle it."""
    task = catalog.queue.take(Lease("w", 2, 3), ("",))
    assert task is not None
    assert catalog.queue.settle(task, Settlement(**outcome), now_us=3)


def contents(database: Database) -> dict[str, bytes]:
    """A checksum of every table."""
    with database.reader.begin() as connection:
        tables = metadata.sorted_tables
        rows = {table.name: connection.execute(table.select()).all() for table in tables}
    return {name: checksum(sorted(found)) for name, found in rows.items()}


def test_a_copy_equals_its_source(source: Catalog, copy: Copy, databases: list[Database]) -> None:
    fill(source)
    moved = copy()
    assert contents(databases[0]) == contents(databases[1])
    assert (moved.sequence, moved.rows["views"]) == (source.latest(), source.counts().views)


def test_a_job_goes_on_in_the_copy(source: Catalog, copy: Copy, databases: list[Database]) -> None:
    fill(source)
    copy()
    moved = SqlCatalog(databases[1])
    (job,) = moved.jobs.jobs(before=None, limit=9)
    assert moved.jobs.retry(job.job_id, None, now_us=4) == 1
    for _ in range(2):
        work(moved, imported=1)
    assert (moved.queue.conclude(now_us=9), moved.jobs.job(job.job_id).imported) == (1, 3)


def test_an_empty_catalogue_can_be_moved(source: Catalog, copy: Copy) -> None:
    assert copy().rows["views"] == 0


def test_a_copy_is_used_like_its_source(source: Catalog, copy: Copy, databases: list[Database]) -> None:
    fill(source)
    copy()
    both = [source, SqlCatalog(databases[1])]
    first, second = [catalog.put([new("artist 9/e/v"), new("artist 1/f/v")]) for catalog in both]
    assert [put.stored.key for put in first] == [put.stored.key for put in second]
    assert both[0].counts() == both[1].counts()
    assert both[0].remove("artist 0").tolist() == both[1].remove("artist 0").tolist()


def test_numbers_of_gone_artists_do_not_come_back(source: Catalog, copy: Copy, databases: list[Database]) -> None:
    source.put([new("a/e/v"), new("b/e/v")])
    known = set(source.artist_numbers(["a", "b"]))
    source.remove("a")
    source.remove("b")
    copy()
    target = SqlCatalog(databases[1])
    target.put([new("c/e/v")])
    assert not known & set(target.artist_numbers(["c"]))


def test_run_again_it_brings_what_was_written_since(source: Catalog, copy: Copy, databases: list[Database]) -> None:
    fill(source)
    copy()
    source.remove("artist 0")
    source.put([new("artist 0/entry 0/5", 3), new("new/e/v")])
    source.put_note("calibration", "2")
    copy()
    assert contents(databases[0]) == contents(databases[1])
    assert copy().sequence == source.latest()


def test_what_has_no_place_in_the_sequence_is_mended(source: Catalog, copy: Copy, databases: list[Database]) -> None:
    fill(source)
    copy()
    with databases[1].writer.begin() as connection:
        connection.execute(delete(embeddings).where(embeddings.c.key < 20))
        connection.execute(text("UPDATE likenesses SET probability = 0"))
        connection.execute(text("INSERT INTO notes (name, value) VALUES ('foreign', '1')"))
    copy()
    assert contents(databases[0]) == contents(databases[1])


def test_a_copy_that_was_written_to_is_refused(source: Catalog, copy: Copy, databases: list[Database]) -> None:
    fill(source)
    copy()
    SqlCatalog(databases[1]).put([new("a/e/v")])
    with pytest.raises(Conflict, match="ahead of the source"):
        copy()
    source.put([new("b/e/v")])
    with pytest.raises(StoreError, match="differs from the source"):
        copy()


def test_a_catalogue_of_its_own_is_never_overwritten(source: Catalog, copy: Copy, databases: list[Database]) -> None:
    fill(source)
    target = SqlCatalog(databases[1])
    target.put([new("own/e/v")])
    with pytest.raises(Conflict, match="another catalogue"):
        copy()
    assert target.counts().views == 1


def test_an_interrupted_copy_goes_on(
    source: Catalog, databases: list[Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(source)
    monkeypatch.setattr("arthur.catalog.moving._PAGE", 7)
    seen: list[int] = []

    def interrupt(done: int, _total: int) -> None:
        seen.append(done)
        if len(seen) in (2, 4):
            raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            move(*databases, interrupt)
    source.remove("artist 3")
    move(*databases, interrupt)
    assert contents(databases[0]) == contents(databases[1])
    assert len(seen) == len(set(seen))


def test_writes_while_it_copies_cost_it_nothing(source: Catalog, databases: list[Database], urls: list[str]) -> None:
    fill(source)
    writer = open_catalog(urls[0])

    def write(done: int, _total: int) -> None:
        writer.put([new(f"artist 1/meanwhile/{done}", 1)])
        writer.remove("artist 2")

    moved = move(*databases, write)
    assert moved.sequence < source.latest()
    assert move(*databases, lambda *_: None).sequence == source.latest()
    assert contents(databases[0]) == contents(databases[1])
    writer.close()
