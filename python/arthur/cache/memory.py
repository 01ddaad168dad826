"""A cache in this process: the least recently used values go when the bytes run out."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

__all__ = ["MemoryCache"]

# What the dictionary and the objects weigh beside the bytes themselves.
_ENTRY_OVERHEAD_BYTES = 250


class MemoryCache:
    """See Cache. Every call takes constant time on average; expired values go when met or when space is needed."""

    def __init__(self, max_bytes: int, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        """Keep at most `max_bytes` of keys and values, overhead counted; `clock_s` tells monotonic seconds."""
        self._max_bytes = max_bytes
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, tuple[bytes, float]] = OrderedDict()
        self._bytes = 0

    @property
    def used_bytes(self) -> int:
        """Bytes that are kept, overhead counted."""
        return self._bytes

    def fetch(self, key: bytes) -> bytes | None:
        """See Cache.fetch."""
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            value, expires_s = found
            if self._clock_s() >= expires_s:
                self._drop(key)
                return None
            self._kept.move_to_end(key)
            return value

    def put(self, key: bytes, value: bytes, ttl_s: float) -> None:
        """See Cache.put. A value larger than the whole cache is not kept."""
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

    def close(self) -> None:
        """See Cache.close. Forgets everything."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0

    def _drop(self, key: bytes) -> None:
        value, _ = self._kept.pop(key)
        self._bytes -= _size(key, value)


def _size(key: bytes, value: bytes) -> int:
    return len(key) + len(value) + _ENTRY_OVERHEAD_BYTES
