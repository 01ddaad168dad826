"""An index engine that dies, freezes or forgets: answers go on, nothing is lost, and it has all again by itself.

PostgreSQL is real. Qdrant is its client, its wire and its engine in a process of its own, without a cluster's parts.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arthur.catalog import Catalog, open_catalog
from arthur.index import open_index, pgvector
from arthur.postgres import LIBPQ
from arthur.recognition.renewal import RenewableIndex
from tests.models import SPEC, House, picture
from tests.private_servers import PrivateServer, postgres_url

pytestmark = [pytest.mark.slow]

Opener = Callable[..., House]


@pytest.fixture(params=["own_qdrant", pytest.param("own_postgres", marks=pytest.mark.service("pgvector"))])
def server(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(f"sqlite:///{tmp_path / 'catalog.db'}")
    yield opened
    opened.close()


@pytest.fixture
def opened(server: PrivateServer, catalog: Catalog, tmp_path: Path) -> Iterator[Opener]:
    """Open a Recognizer whose index is on the server, with a standby or without."""
    qdrant = "qdrant" in str(server.folder)
    url = f"qdrant://127.0.0.1:{server.port}?timeout_s=1" if qdrant else f"pgvector:{postgres_url(server)}"
    houses: list[House] = []

    def index(address: str) -> RenewableIndex:
        opening = lambda name: open_index(address, dim=SPEC.dim, fingerprint=name)  # noqa: E731
        return RenewableIndex(opening, catalog, fingerprint=SPEC.fingerprint)

    def opener(*, standby: bool = True) -> House:
        beside = index(f"usearch:{tmp_path / 'standby'}") if standby else None
        houses.append(House(catalog, index=index(url), standby=beside))
        return houses[-1]

    yield opener
    for house in houses:
        house.recognizer.close()
        house.index.close()
        if house.standby is not None:
            house.standby.close()


def until_whole(house: House, seed: int) -> float:
    """Wait until the index answers again, and return the seconds it took."""
    begin = time.monotonic()
    while house.recognizer.recognize(picture(seed)).degraded:
        assert time.monotonic() - begin < 60
        time.sleep(0.02)
    return time.monotonic() - begin


def found(house: House, seed: int) -> str:
    return str(house.recognizer.recognize(picture(seed)).matches[0].view.entry_id)


def test_who_writes_and_asks_sees_nothing_of_an_index_that_is_killed(opened: Opener, server: PrivateServer) -> None:
    house, chance, live = opened(), random.Random(5), dict[str, int]()
    for turn in range(2):
        killer = threading.Timer(chance.uniform(0.05, 0.4), server.kill)
        killer.start()
        while killer.is_alive() or len(live) < 10 * (turn + 1):
            seed = len(live) + 1000 * turn
            house.enroll(f"a/e{seed}/main", seed)
            live[f"e{seed}"] = seed
            assert found(house, seed) == f"e{seed}"
        house.recognizer.forget("a", gone := chance.choice(sorted(live)))
        del live[gone]
        server.start()
        until_whole(house, next(iter(live.values())))
        assert len(house.index) == len(live)
    assert [found(house, seed) for seed in live.values()] == list(live)


def test_a_frozen_index_keeps_nobody_waiting_for_long(
    opened: Opener, server: PrivateServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pgvector, "_PATIENCE_S", 1.0)
    monkeypatch.setitem(LIBPQ, "connect_timeout", "2")
    house = opened()
    house.enroll("a/e1/main", 1)
    server.freeze()
    assert house.recognizer.recognize(picture(1)).degraded
    begin = time.monotonic()
    for seed in range(2, 12):
        house.enroll(f"a/e{seed}/main", seed)
        assert found(house, seed) == f"e{seed}"
    assert time.monotonic() - begin < 10
    server.thaw()
    until_whole(house, 1)
    assert len(house.index) == 11


def test_a_process_may_start_while_its_index_is_away(opened: Opener, server: PrivateServer) -> None:
    server.kill()
    house = opened()
    house.recognizer.ready()
    house.enroll("a/e1/main", 1)
    assert house.recognizer.recognize(picture(1)).degraded
    server.start()
    until_whole(house, 1)
    assert (len(house.index), house.index.sequence) == (1, 1)


def test_without_standby_a_small_catalogue_is_scanned_and_the_next_answer_is_whole_again(
    opened: Opener, server: PrivateServer
) -> None:
    house = opened(standby=False)
    house.enroll("a/e1/main", 1)
    server.kill()
    house.enroll("a/e2/main", 2)
    answer = house.recognizer.recognize(picture(2))
    assert (answer.degraded, answer.matches[0].view.entry_id) == (True, "e2")
    server.start()
    until_whole(house, 2)
    assert found(house, 2) == "e2"


PUTS_FOR_EVER = """
import itertools, sys
import numpy as np
from arthur.index import open_index

index = open_index(sys.argv[1], dim=4, fingerprint="engine")
for first in itertools.count(0, 2000):
    keys = np.arange(first, first + 2000)
    index.put(keys, np.tile(np.eye(4, dtype=np.float32), (500, 1)), keys % 3)
"""


def test_what_a_killed_process_had_begun_is_completed_by_another(qdrant_server: PrivateServer) -> None:
    url = f"qdrant://127.0.0.1:{qdrant_server.port}?timeout_s=30"
    killed = subprocess.Popen([sys.executable, "-c", PUTS_FOR_EVER, url])
    with closing(open_index(url, dim=4, fingerprint="engine")) as index:
        while len(index) < 3000:
            assert killed.poll() is None
        killed.kill()
        killed.wait()
        keys = np.arange(count := (len(index) // 2000 + 1) * 2000)
        index.put(keys, np.tile(np.eye(4, dtype=np.float32), (count // 4, 1)), keys % 3)
        assert (len(index), index.sequence) == (count, 0)


@pytest.mark.parametrize("server", ["own_qdrant"], indirect=True)
def test_what_the_server_has_lost_comes_from_the_catalogue(opened: Opener, server: PrivateServer) -> None:
    house = opened(standby=False)
    for seed in range(5):
        house.enroll(f"a/e{seed}/main", seed)
    house.recognizer.forget("a", "e4")
    server.kill()
    for folder in server.folder.glob("arthur_*"):
        shutil.rmtree(folder)
    server.start()
    until_whole(house, 1)
    assert (len(house.index), house.index.sequence) == (4, 6)
    assert [found(house, seed) for seed in range(4)] == [f"e{seed}" for seed in range(4)]
