"""Rate limits that all processes and machines share: counted here, told to Valkey in the background."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from arthur.rates import Rate
from arthur.rates.memory import MemoryLimiter
from arthur.valkey import Client, Link

__all__ = ["ValkeyLimiter"]

_EVERY_S = 0.02
_MOST_AT_ONCE = 500
_MOST_WAITING = 10_000
_CLOSING_S = 1.0

# KEYS[1]: a bucket, kept as the moment at which it will be full again. ARGV: takes, seconds that one take costs, age of
# the first of them in seconds, and the time, which is the server's own where none is given. Returns the seconds until
# the bucket is full.
_SCRIPT = """
local now = tonumber(ARGV[4])
if not now then
  local time = redis.call('TIME')
  now = time[1] + time[2] / 1000000
end
local full_at = tonumber(redis.call('GET', KEYS[1])) or 0
full_at = math.max(full_at, now - ARGV[3]) + ARGV[1] * ARGV[2]
local left = math.max(full_at - now, 0)
redis.call('SET', KEYS[1], string.format('%.6f', full_at), 'PX', math.ceil(left * 1000) + 1000)
return string.format('%.6f', left)
"""


@dataclass(slots=True)
class _Untold:
    """Takes that Valkey does not know of yet."""

    rate: Rate
    first_at: float
    takes: int = 0


class ValkeyLimiter:
    """See Limiter. Each process counts for itself, and learns within some 20 ms what the others let through.

    What is not known yet may pass in excess: by each process what it lets through in that time. While Valkey does not
    answer, each process counts alone.
    """

    def __init__(
        self,
        url: str,
        *,
        cluster: bool = False,
        told: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        shared_clock: Callable[[], float] | None = None,
    ) -> None:
        """Count in the server at a URL as the client library reads it; `told` hears `syncs`, `faults` and `skipped`.

        Without a `shared_clock` the time of the buckets is the server's.

        Raises:
            ConfigError: the URL cannot be read.
        """
        self._here = MemoryLimiter(clock=clock)
        self._link = Link(url, of="limiter", cluster=cluster, told=told)
        self._cluster = cluster
        self._clock = clock
        self._shared_clock = shared_clock
        self._count = told
        self._lock = threading.Lock()
        self._untold: dict[str, _Untold] = {}
        self._turn = threading.Lock()
        self._wanted = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rates", daemon=True)
        self._thread.start()

    def take(self, name: str, rate: Rate) -> float:
        """See Limiter.take."""
        wait_s = self._here.take(name, rate)
        if wait_s == 0:
            with self._lock:
                if name in self._untold or len(self._untold) < _MOST_WAITING:
                    self._untold.setdefault(name, _Untold(rate, self._clock())).takes += 1
            self._wanted.set()
        return wait_s

    def sync(self) -> None:
        """Tell Valkey what was taken here, and learn what was taken elsewhere from the same buckets."""
        with self._turn:
            with self._lock:
                untold, self._untold = self._untold, {}
            names = list(untold)
            for start in range(0, len(names), _MOST_AT_ONCE):
                page = names[start : start + _MOST_AT_ONCE]
                left = self._link.ask(partial(self._tell, [(name, untold[name]) for name in page]))
                if left is None:
                    return  # each process counts alone until somebody answers
                self._count("syncs")
                for name, seconds in zip(page, left, strict=True):
                    self._here.learn(name, float(seconds))

    def close(self) -> None:
        """See Limiter.close."""
        self._closing.set()
        self._wanted.set()
        self._thread.join(_CLOSING_S)
        self._link.close()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wanted.wait()
            self._wanted.clear()
            self.sync()
            self._closing.wait(_EVERY_S)

    def _tell(self, untold: Sequence[tuple[str, _Untold]], client: Client) -> list[bytes]:
        now, shared = self._clock(), "" if self._shared_clock is None else self._shared_clock()
        # a cluster keeps each bucket on a node of its own
        asked = client if self._cluster else client.pipeline(transaction=False)
        left = [
            asked.eval(_SCRIPT, 1, _key(name), one.takes, 1 / one.rate.per_s, max(0.0, now - one.first_at), shared)
            for name, one in untold
        ]
        return left if self._cluster else list(asked.execute())


def _key(name: str) -> bytes:
    return b"arthur:rate:" + name.encode()
