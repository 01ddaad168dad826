"""Port of the cache: answers and vectors that may be forgotten at any moment."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import parse_qsl

from arthur.errors import ConfigError

__all__ = ["Cache", "open_cache"]


class Cache(Protocol):
    """Bytes by key with a time to live. Never raises: a fault is a miss. Callable from any thread."""

    def fetch(self, key: bytes) -> bytes | None:
        """Return the value, or None when it is not there, expired or out of reach."""
        ...

    def put(self, key: bytes, value: bytes, ttl_s: float) -> None:
        """Keep `value` for at most `ttl_s` seconds; it may vanish earlier."""
        ...

    def close(self) -> None:
        """Release connections. Closing twice is allowed."""
        ...


def open_cache(url: str) -> Cache:
    """Open a cache: `memory:` or `memory:?max_mb=N` (MiB, 64 unless given) in this process, `none:` keeps nothing.

    Raises:
        ConfigError: the URL is not of a known form.
    """
    # Imported here: the port must not need its adapters.
    from arthur.cache.memory import MemoryCache
    from arthur.cache.nothing import NoCache

    name, _, query = url.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    if name == "none:" and not options:
        return NoCache()
    max_mb = options.pop("max_mb", "64")
    if name == "memory:" and not options and max_mb.isascii() and max_mb.isdecimal() and 0 < len(max_mb) <= 7:
        return MemoryCache(int(max_mb) * 2**20)
    raise ConfigError("the cache URL must be memory:, memory:?max_mb=N or none:")
