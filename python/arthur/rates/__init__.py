"""Port of rate limits: how often may somebody ask?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from arthur.errors import ConfigError

__all__ = ["Limiter", "Rate", "open_limiter", "parse_rate"]

_SECONDS = {"s": 1, "min": 60, "h": 3600}
_RATE = re.compile(r"([1-9][0-9]{0,8})/(s|min|h)")


@dataclass(frozen=True, slots=True)
class Rate:
    """A bucket of `burst` that fills again at `per_s`."""

    per_s: float
    burst: int


class Limiter(Protocol):
    """Counts by name. Callable from any thread.

    It is asked before a request has a place, so it answers at once and never raises: an adapter over the network counts
    here and shares its counts in the background.
    """

    def take(self, name: str, rate: Rate) -> float:
        """Take one out of the bucket of `name`; return 0.0, or the seconds until there will be one."""
        ...


def parse_rate(text: str) -> Rate | None:
    """Read `10/s`, `600/min` or `1000/h`: so many at once, and as many again in each period; "" is no limit.

    Raises:
        ConfigError: it is none of these.
    """
    if not text:
        return None
    found = _RATE.fullmatch(text)
    if found is None:
        raise ConfigError(f"{text!r} is not a rate such as 10/s, 600/min or 1000/h")
    count = int(found[1])
    return Rate(count / _SECONDS[found[2]], count)


def open_limiter(url: str) -> Limiter:
    """Open the limiter at `url`: `memory:` counts in this process.

    Raises:
        ConfigError: the URL is not of a known form.
    """
    if url != "memory:":
        raise ConfigError("the limiter URL must be memory:")
    from arthur.rates.memory import MemoryLimiter  # the port must not need its adapters

    return MemoryLimiter()
