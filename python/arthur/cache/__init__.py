"""Port of the cache: answers and vectors that may be forgotten at any moment."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Cache"]


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
