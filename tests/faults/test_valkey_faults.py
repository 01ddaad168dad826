"""Valkey that dies, freezes, is full or refuses: always a miss, never an error, and soon no wait."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
import valkey
from structlog.testing import capture_logs

from arthur.cache import Cache, open_cache
from arthur.rates import Limiter, Rate, open_limiter
from tests.private_servers import PrivateServer

pytestmark = [pytest.mark.service("valkey"), pytest.mark.slow]

Start = Callable[..., PrivateServer]


@pytest.fixture
def server(own_valkey: Start) -> PrivateServer:
    return own_valkey()


@pytest.fixture
def cache(server: PrivateServer) -> Iterator[Cache]:
    opened = open_cache(f"valkey://127.0.0.1:{server.port}?front_mb=0")
    opened.put(b"key", b"value", 60)
    yield opened
    opened.close()


def seconds_of(calls: int, use: Callable[[], object]) -> float:
    begin = time.monotonic()
    assert {use() for _ in range(calls)} == {None}
    return time.monotonic() - begin


def wait_for_hit(cache: Cache) -> None:
    end = time.monotonic() + 30
    while cache.fetch(b"key") is None:
        assert time.monotonic() < end
        cache.put(b"key", b"value", 60)
        time.sleep(0.02)


def test_a_dead_valkey_is_a_miss_and_found_again_when_it_is_back(cache: Cache, server: PrivateServer) -> None:
    assert cache.fetch(b"key") == b"value"
    server.kill()
    assert seconds_of(1000, lambda: cache.fetch(b"key")) < 5
    assert cache.stats()["skipped"] > 900
    server.start()
    wait_for_hit(cache)


def test_a_frozen_valkey_costs_little_and_is_found_again(cache: Cache, server: PrivateServer) -> None:
    server.freeze()
    assert seconds_of(1000, lambda: cache.fetch(b"key")) < 5
    assert seconds_of(10, lambda: cache.reserve(b"other", 30)) < 5
    server.thaw()
    wait_for_hit(cache)


def test_one_question_to_a_frozen_valkey_takes_no_longer_than_its_limit(cache: Cache, server: PrivateServer) -> None:
    server.freeze()
    assert seconds_of(1, lambda: cache.fetch(b"key")) < 1
    assert cache.stats()["faults"] == 1


def test_a_full_valkey_is_a_miss(own_valkey: Start) -> None:
    server = own_valkey("--maxmemory", "2mb", "--maxmemory-policy", "noeviction")
    cache = open_cache(f"valkey://127.0.0.1:{server.port}?front_mb=0")
    for number in range(40):
        cache.put(b"%d" % number, bytes(200_000), 60)
    assert cache.reserve(b"another", 0.1) is None
    assert cache.stats()["faults"] > 0
    cache.close()


def test_a_wrong_password_is_a_miss_and_tells_no_secret(own_valkey: Start) -> None:
    server = own_valkey("--requirepass", "right")
    right, wrong = (open_cache(f"valkey://:{word}@127.0.0.1:{server.port}?front_mb=0") for word in ("right", "wrong"))
    with capture_logs() as said:
        for cache in (right, wrong):
            cache.put(b"key", b"value", 60)
        assert (right.fetch(b"key"), seconds_of(100, lambda: wrong.fetch(b"key")) < 5) == (b"value", True)
    assert "valkey_unreachable" in [line["event"] for line in said]
    assert "wrong@" not in str(said)
    right.close()
    wrong.close()


def test_a_restart_that_forgot_everything_is_only_misses(cache: Cache, server: PrivateServer) -> None:
    server.kill()
    server.start()
    assert cache.fetch(b"key") is None
    wait_for_hit(cache)


def test_what_is_in_front_outlives_valkey(server: PrivateServer) -> None:
    cache = open_cache(f"valkey://127.0.0.1:{server.port}")
    cache.put(b"key", b"value", 60)
    server.kill()
    assert cache.fetch(b"key") == b"value"
    cache.put(b"new", b"value", 60)
    assert cache.fetch(b"new") == b"value"
    cache.close()


def test_a_value_of_another_type_is_a_miss(cache: Cache, server: PrivateServer) -> None:
    with valkey.Valkey(port=server.port) as client:
        client.lpush(b"arthur:{list}", b"x")
    assert cache.fetch(b"list") is None


def test_rates_do_not_wait_for_a_frozen_valkey_and_are_shared_again_when_it_thaws(server: PrivateServer) -> None:
    url, rate = f"valkey://127.0.0.1:{server.port}", Rate(0.001, 5)
    one, other = (open_limiter(url) for _ in range(2))
    server.freeze()
    begin = time.monotonic()
    assert [one.take("name", rate) > 0 for _ in range(1000)] == [False] * 5 + [True] * 995
    assert time.monotonic() - begin < 5
    server.thaw()
    end = time.monotonic() + 30
    while not shared(one, other, f"name at {time.monotonic()}", rate):
        assert time.monotonic() < end
    one.close()
    other.close()


def shared(one: Limiter, other: Limiter, name: str, rate: Rate) -> bool:
    """Whether `other` refuses what `one` has used up, once it has asked for the first time."""
    for _ in range(rate.burst):
        one.take(name, rate)
    time.sleep(0.05)
    other.take(name, rate)
    time.sleep(0.05)
    return other.take(name, rate) > 0
