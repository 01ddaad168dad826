"""Opening the two servers of a replay."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from arthur.errors import BadRequest
from arthur.replay.sending import Pair


@dataclass(frozen=True, slots=True)
class Options:
    """How to ask and to judge.

    Attributes:
        new_key: API key that goes to the new server alone; v1 knew none.
        tolerance: difference of scores that counts as none.
        timeout_s: for each step of a request.
    """

    new_key: str | None = None
    tolerance: float = 0.05
    timeout_s: float = 30.0


@contextmanager
def opened_pair(old: str, new: str, options: Options) -> Iterator[Pair]:
    """Yield both servers; their connections are closed at the end. Proxies of the environment are not used.

    Raises:
        BadRequest: an address is none of http or https.
    """
    key = {} if options.new_key is None else {"authorization": f"Bearer {options.new_key}"}
    with (
        httpx.Client(base_url=_checked(old), timeout=options.timeout_s, trust_env=False) as asked_old,
        httpx.Client(base_url=_checked(new), timeout=options.timeout_s, trust_env=False, headers=key) as asked_new,
    ):
        yield Pair(asked_old, asked_new, tolerance=options.tolerance)


def _checked(address: str) -> httpx.URL:
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL as error:
        raise BadRequest(f"{address!r} is no address of a server: {error}") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise BadRequest(f"{address!r} is no address of a server: http://HOST:PORT is expected")
    return url
