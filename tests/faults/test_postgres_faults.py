"""PostgreSQL that dies, freezes or has no room for more: a clear sentence in bounded time, and nothing gets lost."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psycopg
import pytest

from arthur.catalog import Catalog, open_catalog, postgres
from arthur.errors import StoreError
from arthur.postgres import LIBPQ
from arthur.types import NewView, ViewId
from tests.private_servers import PrivateServer, postgres_url

pytestmark = [pytest.mark.service("postgresql"), pytest.mark.slow]


def new(number: int) -> NewView:
    return NewView(ViewId("a", "e", str(number)), np.eye(4, dtype=np.float32)[0], "f", "h", "", "jpeg", 1, 1, 1)


@pytest.fixture
def catalog(own_postgres: PrivateServer) -> Iterator[Catalog]:
    opened = open_catalog(postgres_url(own_postgres))
    yield opened
    opened.close()


def answered_soon(ask: Callable[[], object], within_s: float = 30.0) -> float:
    """Ask until there is an answer, and return the seconds it took; anything but StoreError is a failure."""
    begin = time.monotonic()
    while True:
        try:
            ask()
        except StoreError:
            assert time.monotonic() - begin < within_s
            time.sleep(0.01)
        else:
            return time.monotonic() - begin


def kill_when(server: PrivateServer, acknowledged: list[int], enough: int) -> None:
    while len(acknowledged) < enough:
        time.sleep(0.001)
    server.kill()


def test_nothing_acknowledged_is_lost_when_postgresql_is_killed(catalog: Catalog, own_postgres: PrivateServer) -> None:
    chance, acknowledged = random.Random(3), list[int]()
    for turn in range(3):
        enough = len(acknowledged) + chance.randrange(2, 40)
        killer = threading.Thread(target=kill_when, args=(own_postgres, acknowledged, enough))
        killer.start()
        for number in range(turn * 100_000, (turn + 1) * 100_000):
            try:
                acknowledged.append(catalog.put([new(number)])[0].stored.key)
            except StoreError:
                break
        killer.join()
        own_postgres.start()
        answered_soon(catalog.latest)
    assert set(catalog.views(np.array(acknowledged))) == set(acknowledged)
    assert catalog.counts().views >= len(acknowledged) > 3
    assert catalog.latest() + 1 == catalog.put([new(-1)])[0].stored.key


def test_a_dead_server_is_told_at_once_and_found_again_soon(catalog: Catalog, own_postgres: PrivateServer) -> None:
    catalog.put([new(1)])
    own_postgres.kill()
    for ask in (catalog.latest, lambda: catalog.views(np.array([1])), lambda: catalog.put([new(2)])):
        begin = time.monotonic()
        with pytest.raises(StoreError, match="does not answer"):
            ask()
        assert time.monotonic() - begin < 5
    own_postgres.start()
    assert answered_soon(lambda: catalog.put([new(2)])) < 10
    assert catalog.latest() == 2


def test_pooled_connections_of_before_a_restart_fail_nobody(catalog: Catalog, own_postgres: PrivateServer) -> None:
    barrier = threading.Barrier(6)

    def read() -> None:
        barrier.wait()
        catalog.views(np.array([1]))

    readers = [threading.Thread(target=read) for _ in range(6)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    own_postgres.kill()
    own_postgres.start()
    assert [dict(catalog.views(np.array([1]))) for _ in range(6)] == [{}] * 6
    assert (catalog.latest(), catalog.put([new(1)])[0].stored.key) == (0, 1)


def test_a_frozen_server_is_given_up_and_works_again_when_it_goes_on(
    own_postgres: PrivateServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_PATIENCE_S", 1.0)
    monkeypatch.setattr(postgres, "_STATE_PATIENCE_S", 1.0)
    monkeypatch.setitem(LIBPQ, "connect_timeout", "2")
    catalog = open_catalog(postgres_url(own_postgres))
    catalog.put([new(1)])
    own_postgres.freeze()
    for ask in (catalog.latest, lambda: catalog.views(np.array([1])), lambda: catalog.put([new(2)])):
        begin = time.monotonic()
        with pytest.raises(StoreError, match="does not answer"):
            ask()
        assert time.monotonic() - begin < 20
    own_postgres.thaw()
    answered_soon(lambda: catalog.put([new(2)]))
    assert catalog.latest() >= 2
    catalog.close()


def test_many_who_ask_a_frozen_server_wait_together_not_in_turn(
    own_postgres: PrivateServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_STATE_PATIENCE_S", 1.0)
    monkeypatch.setitem(LIBPQ, "connect_timeout", "2")
    catalog = open_catalog(postgres_url(own_postgres))
    catalog.latest()
    own_postgres.freeze()

    def ask(_: int) -> str:
        with pytest.raises(StoreError) as raised:
            catalog.latest()
        return str(raised.value)

    begin = time.monotonic()
    with ThreadPoolExecutor(32) as threads:
        answers = set(threads.map(ask, range(32)))
    assert answers == {"the catalogue's database server does not answer"}
    assert time.monotonic() - begin < 16
    own_postgres.thaw()
    catalog.close()


def test_who_waits_for_changes_hears_of_them_again_after_a_restart(
    catalog: Catalog, own_postgres: PrivateServer
) -> None:
    assert catalog.wait(0, 0.1) == 0
    own_postgres.kill()
    own_postgres.start()
    answered_soon(lambda: catalog.wait(0, 0.1))
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(answered_soon, lambda: catalog.wait(0, 30))
        catalog.put([new(1)])
        assert waiting.result() < 25


def test_a_server_without_connections_left_says_so(own_postgres: PrivateServer, catalog: Catalog) -> None:
    with psycopg.connect(postgres_url(own_postgres), autocommit=True) as connection:
        connection.execute("CREATE ROLE visitor LOGIN PASSWORD 'private' CONNECTION LIMIT 0")
    with pytest.raises(StoreError, match="does not answer"):
        open_catalog(postgres_url(own_postgres).replace("arthur:private", "visitor:private"))
    assert catalog.put([new(1)])[0].stored.key == 1
