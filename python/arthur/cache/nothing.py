"""The cache that keeps nothing, for those who want none."""

from __future__ import annotations

__all__ = ["NoCache"]


class NoCache:
    """See Cache. Every fetch is a miss."""

    def fetch(self, key: bytes) -> bytes | None:
        """See Cache.fetch."""
        return None

    def put(self, key: bytes, value: bytes, ttl_s: float) -> None:
        """See Cache.put."""

    def close(self) -> None:
        """See Cache.close."""
