"""What both clients are told when they are opened, and how a request is put together."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterable, Iterable
from dataclasses import dataclass
from typing import TypedDict, TypeVar

import httpx

from arthur.client.attempts import Attempts
from arthur.client.calls import Call
from arthur.client.parameters import MatchParameters, Retry
from arthur.client.pictures import Opened
from arthur.errors import ConfigError

Value = TypeVar("Value")


class HttpOptions(TypedDict):
    """What both of httpx's clients take."""

    base_url: httpx.URL
    headers: dict[str, str]
    verify: bool


@dataclass(frozen=True, slots=True)
class Habits:
    """What holds for every call that says nothing else."""

    deadline_s: float
    retry: Retry
    resize: int

    def attempts(self, call: Call[Value], deadline_s: float | None = None) -> Attempts[Value]:
        """Return the tries of a call that begins now."""
        deadline_s = self.deadline_s if deadline_s is None else deadline_s
        return Attempts(call, retry=self.retry, deadline_s=deadline_s, request_id=uuid.uuid4().hex)

    def smaller(self, parameters: MatchParameters) -> int:
        """Return the longest side that photos are sent with; 0 for as they are."""
        return parameters.get("resize", self.resize)


def checked_url(url: str) -> httpx.URL:
    """Return the server's address.

    Raises:
        ConfigError: it is not one of http or https.
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ConfigError(f"{url!r} is no address of a server: {error}") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ConfigError(f"{url!r} is no address of a server: http://HOST:PORT is expected")
    return parsed


def http_options(url: str, api_key: str | None) -> HttpOptions:
    """Return how httpx is to be opened.

    Certificates are read, which takes a tenth of a second, only for https: no redirect that leads there is followed.

    Raises:
        ConfigError: see checked_url.
    """
    base_url = checked_url(url)
    return {"base_url": base_url, "headers": own_headers(api_key), "verify": base_url.scheme == "https"}


def own_headers(api_key: str | None) -> dict[str, str]:
    """Return what goes with every request."""
    key = {} if api_key is None else {"authorization": f"Bearer {api_key}"}
    return {"accept": "application/json, image/jpeg", "user-agent": "arthur-client", **key}


def request_of(
    http: httpx.Client | httpx.AsyncClient,
    attempts: Attempts[Value],
    opened: Opened | None,
    content: Iterable[bytes] | AsyncIterable[bytes],
) -> httpx.Request:
    """Return the request of a try that begins now; `content` are the chunks of `opened`."""
    call = attempts.call
    return http.build_request(
        call.method,
        call.path,
        params=attempts.params(),
        headers=attempts.headers(None if opened is None else opened.length),
        content=None if opened is None else content,
        timeout=attempts.timeout(),
    )
