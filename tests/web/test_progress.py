"""How far an import is, told to every server."""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from arthur.catalog import open_catalog
from arthur.errors import StoreError
from arthur.recognizer import Progress
from arthur.web.progress import Board, import_told


class Silent:
    """A catalogue that cannot write."""

    def put_note(self, name: str, value: str) -> None:
        raise StoreError("the disk is full")


@pytest.fixture
def catalog(tmp_path: Path) -> Any:
    with closing(open_catalog(f"sqlite:///{tmp_path / 'catalog.db'}")) as opened:
        yield opened


def test_an_import_is_told_while_it_runs_and_at_its_end(catalog: Any) -> None:
    with import_told(catalog) as tell:
        tell(1, 3)
        running = Board(catalog).newest()
        tell(3, 3)
    assert (running["state"], running["done"]) == ("running", 1)
    assert (Board(catalog).newest()["state"], Board(catalog).newest()["done"]) == ("done", 3)


def test_a_failed_import_is_told_as_failed(catalog: Any) -> None:
    with suppress(KeyError), import_told(catalog) as tell:
        tell(1, 3)
        raise KeyError
    assert Board(catalog).newest()["state"] == "failed"


def test_that_nobody_can_be_told_ends_no_import() -> None:
    done = []
    with import_told(Silent()) as tell:  # type: ignore[arg-type]  # only notes are written
        tell(1, 3)
        done.append(1)
    assert done == [1]


def test_the_newer_word_is_told_and_an_import_is_no_rebuild(catalog: Any) -> None:
    Board(catalog, clock=lambda: 1.0).write("done", Progress("done", 9, 9))
    Board(catalog, clock=lambda: 2.0, note="import-progress").write("running", Progress("import", 1, 3))
    board = Board(catalog, clock=lambda: 3.0)
    assert board.newest()["stage"] == "import"
    assert (board.read()["done"], board.running()) == (9, False)
