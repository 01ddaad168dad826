from collections import Counter
from typing import Any

import pytest

from arthur.errors import FetchError, StoreError
from arthur.jobs.importing import GROUP, Importer, Reader
from arthur.jobs.sources import open_source


@pytest.fixture
def fill(tmp_path: Any, picture: Any) -> Any:
    """Write pictures into a folder: `fill(count)`."""

    def write(count: Any, first: Any = 0) -> Any:
        for seed in range(first, first + count):
            file = tmp_path / "works" / f"a{seed % 3}" / f"e{seed}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(picture(seed))
        return tmp_path / "works"

    return write


def _fetch(url: Any) -> None:
    raise FetchError(f"{url} does not answer")


def _importer(house: Any) -> Importer:
    reader = Reader(_fetch, max_bytes=100_000)
    return Importer(house.recognizer, house.catalog, read=reader)


def _run(house: Any, path: Any) -> Any:
    outcomes: list[Any] = []
    assert _importer(house)(open_source(path).items, outcomes.append)
    return outcomes


def _counts(outcomes: Any) -> Any:
    return Counter(outcome.result for outcome in outcomes)


def test_every_picture_of_a_folder_is_imported(house: Any, fill: Any) -> None:
    assert _counts(_run(house, fill(2 * GROUP + 5))) == {"imported": 2 * GROUP + 5}
    assert house.catalog.counts().entries == 2 * GROUP + 5


def test_an_imported_picture_is_found(house: Any, fill: Any) -> None:
    _run(house, fill(5))
    assert house.entries(3)[0] == "e3"


def test_run_again_it_skips_what_is_there(house: Any, fill: Any) -> None:
    _run(house, fill(10))
    sequence = house.catalog.latest()
    assert _counts(_run(house, fill(3, first=10))) == {"skipped": 10, "imported": 3}
    assert house.catalog.latest() == sequence + 3


def test_a_changed_picture_is_imported_again(house: Any, fill: Any, picture: Any) -> None:
    root = fill(3)
    _run(house, root)
    (root / "a0/e0.png").write_bytes(picture(99))
    assert _counts(_run(house, root)) == {"skipped": 2, "imported": 1}


def test_changed_metadata_is_imported_again(house: Any, fill: Any, tmp_path: Any) -> None:
    fill(1)
    for title in ("Old", "New"):
        (tmp_path / "works.csv").write_text(f"artist_id,entry_id,path,title\na,e,works/a0/e0.png,{title}\n")
        assert _counts(_run(house, tmp_path / "works.csv")) == {"imported": 1}


def test_a_picture_without_a_vector_of_this_engine_is_imported_again(house: Any, fill: Any) -> None:
    _run(house, fill(1))
    house.catalog.rows.clear()
    assert _counts(_run(house, fill(1))) == {"imported": 1}


def test_unreadable_files_are_named_and_the_rest_goes_on(house: Any, fill: Any) -> None:
    root = fill(4)
    (root / "a0/e0.png").write_bytes(b"no picture")
    outcomes = _run(house, root)
    assert _counts(outcomes) == {"imported": 3, "failed": 1}
    assert [outcome.place for outcome in outcomes if outcome.result == "failed"] == ["a0/e0.png"]


def test_missing_large_and_unreachable_pictures_fail_alone(house: Any, fill: Any, tmp_path: Any) -> None:
    fill(1)
    (tmp_path / "large.png").write_bytes(b"0" * 100_001)
    rows = [
        "a,e0,works/a0/e0.png,",
        "a,e1,missing.png,",
        "a,e2,large.png,",
        "a,e3,,https://museum.example/x.png",
        "a,e4,works,",
    ]
    (tmp_path / "works.csv").write_text("artist_id,entry_id,path,url\n" + "\n".join(rows))
    outcomes = _run(house, tmp_path / "works.csv")
    assert [outcome.result for outcome in outcomes] == ["imported", "failed", "failed", "failed", "failed"]


def test_outcomes_come_in_the_order_of_the_source(house: Any, fill: Any) -> None:
    root = fill(3 * GROUP)
    places = [outcome.place for outcome in _run(house, root)]
    assert places == [item.place for item in open_source(root).items]


def test_stopped_it_reports_all_that_was_written(house: Any, fill: Any) -> None:
    outcomes: list[Any] = []
    root = fill(6 * GROUP)
    assert not _importer(house)(open_source(root).items, outcomes.append, stopped=lambda: bool(outcomes))
    assert house.catalog.counts().views == len(outcomes) < 6 * GROUP


def test_a_catalog_that_cannot_write_ends_the_import(house: Any, fill: Any) -> None:
    house.catalog.broken = True
    with pytest.raises(StoreError):
        _run(house, fill(3))
