from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from arthur.catalog import Catalog, open_catalog
from arthur.errors import StoreError
from arthur.recognition.attendance import Attendance
from arthur.types import NewView, ViewId


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(f"sqlite:///{tmp_path}/catalog.db")
    yield opened
    opened.close()


def put(catalog: Catalog, name: str) -> int:
    view = NewView(ViewId("a", "e", name), np.eye(4, dtype=np.float32)[0], "f", "h", "", "jpeg", 1, 1, 1)
    return catalog.put([view])[0].stored.key


def wait_until(fact: Callable[[], bool]) -> None:
    tick = threading.Event()
    while not fact():
        tick.wait(0.01)


def test_what_is_there_and_what_comes_is_followed(catalog: Catalog) -> None:
    put(catalog, "before")
    seen: list[int] = []
    with Attendance(catalog, lambda: seen.append(catalog.latest())):
        wait_until(lambda: seen == [1])
        put(catalog, "1")
        wait_until(lambda: seen[-1] == 2)


def test_nothing_is_followed_while_nothing_changes(catalog: Catalog) -> None:
    calls: list[int] = []
    with Attendance(catalog, lambda: calls.append(1)):
        wait_until(lambda: calls == [1])
        assert catalog.wait(0, 0.3) == 0
    assert calls == [1]


class Failing:
    """Fails until told otherwise."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog, self.failures = catalog, 0

    def wait(self, since: int, timeout_s: float, given_up: threading.Event) -> int:
        if self.failures < 2:
            self.failures += 1
            raise StoreError("not now")
        return self.catalog.wait(since, timeout_s, given_up)


def test_a_catalogue_that_fails_is_asked_again(catalog: Catalog) -> None:
    calls: list[int] = []
    with Attendance(Failing(catalog), lambda: calls.append(1)):  # type: ignore[arg-type]
        wait_until(lambda: calls == [1])


def test_closing_twice_is_allowed(catalog: Catalog) -> None:
    attendance = Attendance(catalog, lambda: None)
    attendance.close()
    attendance.close()
