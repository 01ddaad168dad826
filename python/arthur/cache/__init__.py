"""Port of the cache: answers and vectors that may be forgotten at any moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

__all__ = ["Cache", "open_cache"]


class Cache(Protocol):
    """Bytes by key with a time to live. Never raises: a fault is a miss. Callable from any thread."""

    def fetch(self, key: bytes) -> bytes | None:
        """Return the value, or None when it is not there, expired or out of reach."""
        ...

    def reserve(self, key: bytes, wait_s: float) -> bytes | None:
        """As `fetch`; of several callers that miss one key, all but the first wait for the value, at most `wait_s`.

        Whoever gets None makes the value and calls `put`, or `release` when nothing comes of it.
        """
        ...

    def release(self, key: bytes) -> None:
        """Let go of those who wait for the key; without any this does nothing."""
        ...

    def put(self, key: bytes, value: bytes, ttl_s: float) -> None:
        """Keep `value` for at most `ttl_s` seconds, and hand it to those who wait; it may vanish earlier."""
        ...

    def stats(self) -> Mapping[str, int]:
        """Return how often what happened so far: hits, misses, faults."""
        ...

    def close(self) -> None:
        """Release connections. Closing twice is allowed."""
        ...


def open_cache(url: str) -> Cache:
    """Open a cache.

    `memory:` or `memory:?max_mb=N` (MiB, 64 unless given) is in this process, `none:` keeps nothing.
    `valkey://HOST:PORT/DB`, `valkeys://` with TLS, `valkey-cluster://`, `valkeys-cluster://` and `unix:///SOCKET` are
    shared; `front_mb` (MiB, 16 unless given, 0 for none) is kept in this process before them.

    Raises:
        ConfigError: the URL is not of a known form, or the client is not installed.
    """
    # Imported here: the port must not need its adapters.
    from arthur.cache.opening import opened

    return opened(url)
