"""Port of rate limits: how often may somebody ask?"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from arthur.errors import ConfigError

__all__ = ["SHARED", "Limiter", "Rate", "open_limiter", "parse_rate"]

SHARED = frozenset(("valkey", "valkeys", "valkey-cluster", "valkeys-cluster", "unix"))
"""Schemes of limiters that processes share."""

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

    def close(self) -> None:
        """Release connections. Closing twice is allowed."""
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


def _untold(_: str) -> None:
    """Tell nobody."""


def open_limiter(url: str, *, told: Callable[[str], None] = _untold) -> Limiter:
    """Open the limiter at `url`.

    `memory:` counts in this process. `valkey://HOST:PORT/DB`, `valkeys://` with TLS, `valkey-cluster://`,
    `valkeys-cluster://` and `unix:///SOCKET` are shared; `told` is then called with what happens: `syncs`, `faults`,
    and `skipped` while nobody answers.

    Raises:
        ConfigError: the URL is not of a known form, or the client is not installed.
    """
    if url == "memory:":
        from arthur.rates.memory import MemoryLimiter  # the port must not need its adapters

        return MemoryLimiter()
    scheme, separator, rest = url.partition("://")
    if scheme not in SHARED or not separator or not rest.strip("/"):
        raise ConfigError(f"the limiter URL must be memory:, or of {', '.join(sorted(SHARED))}")
    try:
        from arthur.rates.valkey import ValkeyLimiter
    except ImportError as error:
        message = "Valkey needs a package that is not installed: pip install 'arthur-imgreco[valkey]'"
        raise ConfigError(message) from error
    plain = scheme.removesuffix("-cluster")
    return ValkeyLimiter(f"{plain}://{rest}", cluster=plain != scheme, told=told)
