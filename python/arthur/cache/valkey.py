"""A cache in Valkey (or Redis), shared by all processes and machines."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from arthur.cache.counting import Tally
from arthur.valkey import Client, Link

__all__ = ["OPTIONS", "ValkeyCache"]

OPTIONS = frozenset(("db", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs"))
"""What the URL may say beside the place."""

_MAX_VALUE = 4 * 2**20
# A reservation whose owner died is void after this.
_RESERVED_MS = 2000
_FIRST_LOOK_S, _LONGEST_LOOK_S = 0.002, 0.032


class ValkeyCache:
    """See Cache. An answer that takes longer than 20 ms is a miss; after three in a row it is left alone for a while.

    Nothing is connected before the first call.
    """

    def __init__(
        self,
        url: str,
        *,
        cluster: bool = False,
        clock_s: Callable[[], float] = time.monotonic,
        sleep_s: Callable[[float], None] = time.sleep,
    ) -> None:
        """Use the server at a URL as the client library reads it.

        Raises:
            ConfigError: the URL cannot be read.
        """
        self._clock_s = clock_s
        self._sleep_s = sleep_s
        self._tally = Tally()
        self._link = Link(url, of="cache", cluster=cluster, told=self._tally.count, clock_s=clock_s)

    def fetch(self, key: bytes) -> bytes | None:
        """See Cache.fetch."""
        value = self._link.ask(lambda client: client.get(_name(key)))
        self._tally.count("misses" if value is None else "hits")
        return value

    def reserve(self, key: bytes, wait_s: float) -> bytes | None:
        """See Cache.reserve. Waiting means to look again, first after 2 ms and then less and less often."""
        value = self.fetch(key)
        if value is not None or self._reserved(key):
            return value
        end, look_s = self._clock_s() + wait_s, _FIRST_LOOK_S
        while (left := end - self._clock_s()) > 0:
            self._sleep_s(min(look_s, left))
            look_s = min(2 * look_s, _LONGEST_LOOK_S)
            value, awaited = self._link.ask(lambda client: _look(client, key)) or (None, False)
            if value is not None:
                self._tally.count("shared")
            if value is not None or not awaited:
                break
        return value

    def release(self, key: bytes) -> None:
        """See Cache.release."""
        self._link.ask(lambda client: client.delete(_claim(key)))

    def put(self, key: bytes, value: bytes, ttl_s: float) -> None:
        """See Cache.put. A value of more than 4 MiB is not kept."""
        ttl_ms = int(min(ttl_s, 10**9) * 1000) if ttl_s > 0 else 0
        if ttl_ms and len(value) <= _MAX_VALUE:
            self._link.ask(lambda client: _put(client, key, value, ttl_ms))
        else:
            self._link.ask(lambda client: client.delete(_name(key), _claim(key)))

    def stats(self) -> Mapping[str, int]:
        """See Cache.stats."""
        return self._tally.counts()

    def close(self) -> None:
        """See Cache.close."""
        self._link.close()

    def _reserved(self, key: bytes) -> bool:
        """Reserve the key; return whether there is nobody to wait for."""
        taken = self._link.ask(lambda client: (client.set(_claim(key), b"1", nx=True, px=_RESERVED_MS),))
        return taken is None or bool(taken[0])


def _name(key: bytes) -> bytes:
    # In braces: a cluster keeps the value and its reservation on one node.
    return b"arthur:{" + key + b"}"


def _claim(key: bytes) -> bytes:
    return _name(key) + b":reserved"


def _look(client: Client, key: bytes) -> tuple[bytes | None, bool]:
    """Return the value, and whether somebody is making it."""
    pipe = client.pipeline(transaction=False)
    value, reserved = pipe.get(_name(key)).exists(_claim(key)).execute()
    return value, bool(reserved)


def _put(client: Client, key: bytes, value: bytes, ttl_ms: int) -> None:
    pipe = client.pipeline(transaction=False)
    pipe.set(_name(key), value, px=ttl_ms).delete(_claim(key)).execute()
