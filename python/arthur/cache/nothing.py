"""The cache that keeps nothing, for those who want none."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["NoCache"]


class NoCache:
    """See Cache. Every fetch is a miss, and nobody waits for another."""

    def fetch(self, key: bytes) -> bytes | None:
        """See Cache.fetch."""
        return None

    def reserve(self, key: bytes, wait_s: float) -> bytes | None:
        """See Cache.reserve."""
        return None

    def release(self, key: bytes) -> None:
        """See Cache.release."""

    def put(self, key: bytes, value: bytes, ttl_s: float) -> None:
        """See Cache.put."""

    def stats(self) -> Mapping[str, int]:
        """See Cache.stats."""
        return {}

    def close(self) -> None:
        """See Cache.close."""
