"""Laws of every Cache. All hold for the cache that keeps nothing, too."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from arthur.cache import Cache, open_cache
from arthur.errors import ConfigError

SHARED = [
    "valkey://localhost:{port}",
    "valkey://127.0.0.1:{port}/3?front_mb=0",
    "unix://{folder}/socket?db=2&front_mb=0",
]


@pytest.fixture(
    params=[
        "memory:",
        "memory:?max_mb=1",
        "memory:?max_mb=0",
        "none:",
        *(pytest.param(url, marks=pytest.mark.service("valkey")) for url in SHARED),
    ]
)
def cache(request: pytest.FixtureRequest) -> Iterator[Cache]:
    url = request.param
    if "{" in url:
        server = request.getfixturevalue("valkey_server")
        url = url.format(port=server.port, folder=server.folder)
    opened = open_cache(url)
    yield opened
    opened.close()


def test_an_unknown_key_is_a_miss(cache: Cache) -> None:
    assert cache.fetch(b"unknown") is None


def test_a_value_is_whole_or_missing(cache: Cache) -> None:
    cache.put(b"key", b"value" * 100, 60)
    assert cache.fetch(b"key") in (b"value" * 100, None)


def test_a_replaced_value_never_comes_back(cache: Cache) -> None:
    cache.put(b"key", b"old", 60)
    cache.put(b"key", b"new", 60)
    assert cache.fetch(b"key") in (b"new", None)


@pytest.mark.parametrize("ttl_s", [0, -1, float("nan")])
def test_a_value_without_time_to_live_is_a_miss(cache: Cache, ttl_s: float) -> None:
    cache.put(b"key", b"old", 60)
    cache.put(b"key", b"new", ttl_s)
    assert cache.fetch(b"key") is None


def test_a_value_larger_than_the_cache_raises_nothing(cache: Cache) -> None:
    cache.put(b"key", bytes(70 * 2**20), 60)
    assert cache.fetch(b"key") is None


def test_threads_see_whole_values(cache: Cache) -> None:
    def use(i: int) -> bytes | None:
        cache.put(b"%d" % (i % 7), b"%d" % (i % 7) * 1000, 60)
        return cache.fetch(b"%d" % (i % 7))

    with ThreadPoolExecutor(8) as threads:
        values = list(threads.map(use, range(2000)))
    assert all(value in (b"%d" % (i % 7) * 1000, None) for i, value in enumerate(values))


def test_reserving_what_is_kept_returns_it(cache: Cache) -> None:
    cache.put(b"reserved", b"value", 60)
    assert cache.reserve(b"reserved", 10) in (b"value", None)


def test_a_reservation_that_is_released_keeps_nobody(cache: Cache) -> None:
    for _ in range(3):
        assert cache.reserve(b"given up", 30) is None
        cache.release(b"given up")


def test_nobody_waits_longer_than_told(cache: Cache) -> None:
    begin = time.monotonic()
    assert [cache.reserve(b"never made", 0.05) for _ in range(3)] == [None] * 3
    assert time.monotonic() - begin < 2
    cache.release(b"never made")


def test_those_who_wait_get_what_the_first_has_made_or_make_it_themselves(cache: Cache) -> None:
    def reserve(_: int) -> bytes:
        found = cache.reserve(b"wanted by many", 30)
        if found is None:
            cache.put(b"wanted by many", b"made", 60)
        return found or b"made"

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(reserve, range(40))) == [b"made"] * 40


def test_stats_count_what_happened(cache: Cache) -> None:
    cache.fetch(b"unknown")
    assert all(count > 0 for count in cache.stats().values())


def test_closing_twice_is_allowed(cache: Cache) -> None:
    cache.close()
    cache.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "memory",
        "none:?a=1",
        "memory:?max_mb=",
        "memory:?max_mb=x",
        "memory:?mb=1",
        "ftp:",
        "valkey://",
        "valkey:",
        "valkey://host?front_mb=x",
        "valkey://host?nonsense=1",
        "valkey://host:port",
    ],
)
def test_an_unknown_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="cache URL"):
        open_cache(url)
