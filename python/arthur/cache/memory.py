"""A cache in this process: the least recently used values go when the bytes run out."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from arthur.cache.counting import Tally

__all__ = ["MemoryCache"]

# What the dictionary and the objects weigh beside the bytes themselves.
_ENTRY_OVERHEAD_BYTES = 250
# A reservation that was neither kept nor released is void after this.
_RESERVED_S = 2.0


class MemoryCache:
    """See Cache. Every call takes constant time on average; expired values go when met or when space is needed."""

    def __init__(self, max_bytes: int, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        """Keep at most `max_bytes` of keys and values, overhead counted; `clock_s` tells monotonic seconds."""
        self._max_bytes = max_bytes
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, tuple[bytes, float]] = OrderedDict()
        self._bytes = 0
        self._tally = Tally()
        self._reserved: dict[bytes, tuple[threading.Event, float]] = {}

    @property
    def used_bytes(self) -> int:
        """Bytes that are kept, overhead counted."""
        return self._bytes

    def fetch(self, key: bytes) -> bytes | None:
        """See Cache.fetch."""
        with self._lock:
            value = self._found(key)
        self._tally.count("misses" if value is None else "hits")
        return value

    def reserve(self, key: bytes, wait_s: float) -> bytes | None:
        """See Cache.reserve."""
        with self._lock:
            value = self._found(key)
            made = None if value is not None else self._awaited(key)
        self._tally.count("misses" if value is None else "hits")
        if made is None or not made.wait(wait_s):
            return value
        with self._lock:
            value = self._found(key)
        if value is not None:
            self._tally.count("shared")
        return value

    def release(self, key: bytes) -> None:
        """See Cache.release."""
        with self._lock:
            made, _ = self._reserved.pop(key, (None, 0.0))
        if made is not None:
            made.set()

    def put(self, key: bytes, value: bytes, ttl_s: float) -> None:
        """See Cache.put. A value larger than the whole cache is not kept."""
        self._keep(key, value, ttl_s)
        self.release(key)

    def stats(self) -> Mapping[str, int]:
        """See Cache.stats."""
        return self._tally.counts()

    def close(self) -> None:
        """See Cache.close. Forgets everything."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0

    def _keep(self, key: bytes, value: bytes, ttl_s: float) -> None:
        size = _size(key, value)
        with self._lock:
            if key in self._kept:
                self._drop(key)
            if size > self._max_bytes or not ttl_s > 0:
                return
            self._kept[key] = (value, self._clock_s() + ttl_s)
            self._bytes += size
            while self._bytes > self._max_bytes:
                self._drop(next(iter(self._kept)))

    def _found(self, key: bytes) -> bytes | None:
        found = self._kept.get(key)
        if found is None:
            return None
        value, expires_s = found
        if self._clock_s() >= expires_s:
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return value

    def _awaited(self, key: bytes) -> threading.Event | None:
        """Return what tells that another thread has made the value; without one the key is reserved and None."""
        made, until_s = self._reserved.get(key, (None, 0.0))
        if made is not None and self._clock_s() < until_s:
            return made
        self._reserved[key] = (threading.Event(), self._clock_s() + _RESERVED_S)
        return None

    def _drop(self, key: bytes) -> None:
        value, _ = self._kept.pop(key)
        self._bytes -= _size(key, value)


def _size(key: bytes, value: bytes) -> int:
    return len(key) + len(value) + _ENTRY_OVERHEAD_BYTES
