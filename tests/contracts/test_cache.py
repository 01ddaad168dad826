"""Laws of every Cache. All hold for the cache that keeps nothing, too."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from arthur.cache import Cache, open_cache
from arthur.errors import ConfigError


@pytest.fixture(params=["memory:", "memory:?max_mb=1", "memory:?max_mb=0", "none:"])
def cache(request: pytest.FixtureRequest) -> Iterator[Cache]:
    opened = open_cache(request.param)
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


def test_closing_twice_is_allowed(cache: Cache) -> None:
    cache.close()
    cache.close()


@pytest.mark.parametrize(
    "url",
    ["", "memory", "none:?a=1", "memory:?max_mb=", "memory:?max_mb=x", "memory:?mb=1", "ftp:"],
)
def test_an_unknown_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="cache URL"):
        open_cache(url)
