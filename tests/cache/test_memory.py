"""Claims of the in-process cache beyond the contract."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arthur.cache.memory import MemoryCache


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(clock: Clock) -> MemoryCache:
    # Room for three values of 1000 bytes with their overhead.
    return MemoryCache(4000, clock_s=clock)


def test_a_value_is_kept(cache: MemoryCache) -> None:
    cache.put(b"key", b"value", 60)
    assert cache.fetch(b"key") == b"value"


def test_a_value_expires(cache: MemoryCache, clock: Clock) -> None:
    cache.put(b"key", b"value", 60)
    clock.now_s = 59.9
    assert cache.fetch(b"key") == b"value"
    clock.now_s = 60
    assert cache.fetch(b"key") is None
    assert cache.used_bytes == 0


def test_the_least_recently_used_value_goes_first(cache: MemoryCache) -> None:
    for key in (b"a", b"b", b"c"):
        cache.put(key, bytes(1000), 60)
    cache.fetch(b"a")
    cache.put(b"d", bytes(1000), 60)
    assert [key for key in (b"a", b"b", b"c", b"d") if cache.fetch(key)] == [b"a", b"c", b"d"]


def test_a_value_that_cannot_fit_drives_nothing_out(cache: MemoryCache) -> None:
    cache.put(b"small", b"value", 60)
    cache.put(b"large", bytes(4000), 60)
    assert cache.fetch(b"large") is None
    assert cache.fetch(b"small") == b"value"


def test_replacing_takes_no_more_room(cache: MemoryCache) -> None:
    for _ in range(10):
        cache.put(b"key", bytes(1000), 60)
    assert cache.used_bytes < 1500


def test_closing_forgets(cache: MemoryCache) -> None:
    cache.put(b"key", b"value", 60)
    cache.close()
    assert cache.fetch(b"key") is None
    assert cache.used_bytes == 0


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2500), st.sampled_from([1.0, 5.0])), max_size=40))
def test_the_bound_holds_and_values_are_the_last_put(puts: list[tuple[int, int, float]]) -> None:
    clock, last = Clock(), dict[bytes, bytes]()
    cache = MemoryCache(4000, clock_s=clock)
    for name, length, ttl_s in puts:
        key, value = b"%d" % name, bytes([name]) * length
        cache.put(key, value, ttl_s)
        last[key] = value
        clock.now_s += 0.5
        assert cache.used_bytes <= 4000
    assert all(cache.fetch(key) in (value, None) for key, value in last.items())
