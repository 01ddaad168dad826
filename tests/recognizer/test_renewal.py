from typing import Any

import numpy as np
import pytest

from arthur.errors import StoreError
from arthur.recognition.renewal import RenewableIndex
from tests.models import ModelIndex


class Notes:
    """A catalog that only remembers notes."""

    def __init__(self) -> None:
        self.kept = {}

    def note(self, name: Any) -> Any:
        return self.kept.get(name)

    def put_note(self, name: Any, value: Any) -> None:
        self.kept[name] = value


class Shelf:
    """Opens one index for each name, and again the same."""

    def __init__(self) -> None:
        self.indices = {}

    def __call__(self, name: Any) -> Any:
        return self.indices.setdefault(name, ModelIndex())


@pytest.fixture
def notes() -> Any:
    return Notes()


@pytest.fixture
def shelf() -> Any:
    return Shelf()


def test_the_identity_is_kept(notes: Any, shelf: Any) -> None:
    first = RenewableIndex(shelf, notes, fingerprint="f")
    again = RenewableIndex(shelf, notes, fingerprint="f")
    assert first.identity == again.identity
    assert len(shelf.indices) == 1


def test_clear_begins_without_anything(notes: Any, shelf: Any) -> None:
    index = RenewableIndex(shelf, notes, fingerprint="f")
    index.put(np.array([1]), np.ones((1, 12), np.float32), np.array([1]))
    index.advance(1)
    index.clear()
    assert (len(index), index.sequence) == (0, 0)


def test_a_second_process_takes_up_the_identity_of_the_first(notes: Any, shelf: Any) -> None:
    first, second = (RenewableIndex(shelf, notes, fingerprint="f") for _ in range(2))
    first.clear()
    second.clear()
    assert first.identity == second.identity


def test_other_engines_have_other_names(notes: Any, shelf: Any) -> None:
    for fingerprint in ("f", "g"):
        RenewableIndex(shelf, notes, fingerprint=fingerprint)
    assert len(shelf.indices) == 2


def test_a_search_across_a_rebuild_is_repeated(house: Any, picture: Any) -> None:
    house.enroll("a/e1/main", 1)
    search = house.index.search

    def interrupted(*given: Any, **named: Any) -> None:
        house.index.search = search
        house.index.rows[1000] = house.index.rows[1]
        house.recognizer.reindex()
        raise StoreError("the index is closed")

    house.index.search = interrupted
    answer = house.recognizer.recognize(picture(1))
    assert (answer.degraded, len(answer.matches)) == (False, 1)
