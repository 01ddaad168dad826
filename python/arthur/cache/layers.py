"""A cache in this process before one that is shared: what was seen here needs no round trip."""

from __future__ import annotations

from collections.abc import Mapping

from arthur.cache import Cache

__all__ = ["LayeredCache"]

# What came from the shared cache is kept here for no longer, since how long it may live is not known.
_FRONT_TTL_S = 60.0


class LayeredCache:
    """See Cache. Keys must name one value for ever, as another process' replacement is not seen here at once."""

    def __init__(self, front: Cache, back: Cache) -> None:
        """Ask `front` first, then `back`; both are closed with it."""
        self._front = front
        self._back = back

    def fetch(self, key: bytes) -> bytes | None:
        """See Cache.fetch."""
        kept = self._front.fetch(key)
        return self._kept_here(key, self._back.fetch(key)) if kept is None else kept

    def reserve(self, key: bytes, wait_s: float) -> bytes | None:
        """See Cache.reserve. One thread of this process asks the shared cache; the others wait here."""
        kept = self._front.reserve(key, wait_s)
        return self._kept_here(key, self._back.reserve(key, wait_s)) if kept is None else kept

    def release(self, key: bytes) -> None:
        """See Cache.release."""
        self._back.release(key)
        self._front.release(key)

    def put(self, key: bytes, value: bytes, ttl_s: float) -> None:
        """See Cache.put."""
        self._back.put(key, value, ttl_s)
        self._front.put(key, value, ttl_s)

    def stats(self) -> Mapping[str, int]:
        """See Cache.stats. A miss here that the shared cache answers is a hit of that one."""
        front = {f"front_{name}": count for name, count in self._front.stats().items()}
        return {**self._back.stats(), **front}

    def close(self) -> None:
        """See Cache.close."""
        self._front.close()
        self._back.close()

    def _kept_here(self, key: bytes, value: bytes | None) -> bytes | None:
        if value is not None:
            self._front.put(key, value, _FRONT_TTL_S)
        return value
