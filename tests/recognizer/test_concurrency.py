"""Writers and readers at once, on the real catalog and the exact index."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from arthur.catalog import open_catalog
from arthur.index.exact import ExactIndex
from arthur.recognition.renewal import RenewableIndex
from arthur.types import ViewId
from tests.models import SPEC, House

WRITERS, EACH = 3, 5


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Callable[[], House]]:
    """Open a Recognizer as a process would: a connection and an index of its own, one catalog for all."""
    with ExitStack() as opened:

        def open_house() -> House:
            catalog = open_catalog(f"sqlite:///{tmp_path}/catalog.db")
            opened.callback(catalog.close)
            index = RenewableIndex(lambda _: ExactIndex(dim=SPEC.dim), catalog, fingerprint=SPEC.fingerprint)
            return House(catalog, index=index)

        yield open_house


def _write(house: House, writer: int) -> list[bool]:
    """Enroll different pictures; say of each whether it came first in the next answer."""
    found = []
    for seed in range(writer * EACH, writer * EACH + EACH):
        house.enroll(f"a/e{seed}/main", seed)
        found.append(house.entries(seed)[0] == f"e{seed}")
    return found


def test_threads_of_a_process_read_what_they_wrote(process: Callable[[], House]) -> None:
    house = process()
    with ThreadPoolExecutor(WRITERS) as pool:
        found = list(pool.map(lambda writer: _write(house, writer), range(WRITERS)))
    assert found == [[True] * EACH] * WRITERS
    assert len(house.index) == WRITERS * EACH


def test_processes_read_what_others_wrote(process: Callable[[], House]) -> None:
    houses = [process() for _ in range(WRITERS)]
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(_write, houses, range(WRITERS)))
    assert [[house.entries(seed)[0] for seed in range(WRITERS * EACH)] for house in houses] == [
        [f"e{seed}" for seed in range(WRITERS * EACH)]
    ] * WRITERS


def test_readers_miss_nothing_while_the_index_is_rebuilt(process: Callable[[], House]) -> None:
    house = process()
    _write(house, 0)

    def rebuild() -> None:
        for foreign in range(1000, 1006):
            house.index.put(np.array([foreign]), np.eye(1, SPEC.dim, dtype=np.float32), np.array([1]))
            house.recognizer.reindex()

    with ThreadPoolExecutor(2) as pool:
        rebuilding = pool.submit(rebuild)
        answers = [house.recognizer.similar(ViewId("a", f"e{seed % EACH}", "main"), k=EACH) for seed in range(30)]
        rebuilding.result()
    assert {len(answer) for answer in answers} == {EACH - 1}
    assert len(house.index) == EACH
