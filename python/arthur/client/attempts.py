"""The tries of one call: what each sends, whether another one is safe and worth while, and how long to wait for it.

It knows neither sockets nor sleep, so the sync and the async client share every rule.
"""

from __future__ import annotations

import email.utils
import math
import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

import httpx

from arthur.client.calls import Call
from arthur.client.errors import ApiError, BadAnswer, ClientError, TimedOut, Unreachable, error_of
from arthur.client.parameters import Retry

Value = TypeVar("Value")

_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_OUR_FAULT = (httpx.LocalProtocolError, httpx.UnsupportedProtocol)
_CONNECT_S = 5.0
_SERVERS_SHARE = 0.9
"""Of the time that is left; the rest is for the answer's way back."""
_MOST_BYTES = 256 * 2**20
_OF_PROXIES = (408, 502, 504)


@dataclass(frozen=True, slots=True)
class Received:
    """An answer, read whole. `headers` by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Attempts(Generic[Value]):
    """The tries of one call. Belongs to one thread or task."""

    def __init__(
        self,
        call: Call[Value],
        *,
        retry: Retry,
        deadline_s: float,
        request_id: str,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.call = call
        self._retry = retry
        self._deadline_s = deadline_s
        self._request_id = request_id
        self._clock = clock
        self._chance = chance
        self._end = clock() + deadline_s
        self._failures = 0

    def left_s(self) -> float:
        """Return the seconds that are left; more than 0.

        Raises:
            TimedOut: none are.
        """
        left = self._end - self._clock()
        if left <= 0:
            raise self.over()
        return left

    def over(self) -> TimedOut:
        """Return the error that says that the time is over."""
        return TimedOut(f"no answer within {self._deadline_s:g} s")

    def params(self) -> list[tuple[str, str | int | float | bool | None]]:
        """Return the query parameters of a try that begins now."""
        left = self.left_s()
        told = self.call.timed and math.isfinite(left)
        deadline = [("deadline_ms", f"{max(1.0, 1000 * left * _SERVERS_SHARE):.0f}")] if told else []
        return [*self.call.params, *deadline]

    def headers(self, length: int | None) -> dict[str, str]:
        """Return the headers of a try whose body has that many bytes."""
        headers = {"x-request-id": self._request_id}
        if self.call.body is not None and length is not None:
            headers |= {"content-type": self.call.body.content_type, "content-length": str(length)}
        return headers

    def timeout(self) -> httpx.Timeout:
        """Return how long each step of a try that begins now may take."""
        left = self.left_s()
        if not math.isfinite(left):
            return httpx.Timeout(None, connect=_CONNECT_S)
        return httpx.Timeout(left, connect=min(left, _CONNECT_S))

    def watched(self, chunks: Iterable[bytes]) -> Iterable[bytes]:
        """Give what is sent, as long as there is time."""
        for chunk in chunks:
            self.left_s()
            yield chunk

    def grown(self, body: bytearray, chunk: bytes) -> None:
        """Add a chunk of the answer, as long as there is time and it is not absurdly long."""
        self.left_s()
        body += chunk
        if len(body) > _MOST_BYTES:
            raise BadAnswer(f"the answer is longer than {_MOST_BYTES} bytes")

    def failed(self, error: httpx.TransportError) -> float:
        """Return how long to wait before the next try after one that brought no answer.

        Raises:
            TimedOut: the time is over.
            Unreachable: another try would not be safe, or was one too many.
        """
        self.left_s()
        why = Unreachable(f"{error}" or type(error).__name__)
        again = isinstance(error, _NOTHING_SENT) or (self.call.repeatable and not isinstance(error, _OUR_FAULT))
        return self._wait_or_raise(why, error, again=again, at_least_s=0.0)

    def answered(self, received: Received) -> float | None:
        """Return None for a success, else how long to wait before the next try.

        Raises:
            ApiError: of the class of the problem, when another try would not be safe or was one too many.
        """
        if received.status // 100 == 2:
            return None
        retry_after_s = _retry_after(received.headers.get("retry-after"))
        request_id = received.headers.get("x-request-id", self._request_id)
        error = error_of(received.status, received.body, request_id=request_id, retry_after_s=retry_after_s)
        return self._wait_or_raise(error, None, again=self._again(error), at_least_s=retry_after_s or 0.0)

    def _again(self, error: ApiError) -> bool:
        """Whether the request may be sent again: it was refused unread, or it is repeatable and its fate unknown."""
        if error.status == 429:
            return True
        passing = error.status == 503 or (error.status in _OF_PROXIES and not error.problem.code)
        return passing and self.call.repeatable

    def _wait_or_raise(self, error: ClientError, cause: Exception | None, *, again: bool, at_least_s: float) -> float:
        self._failures += 1
        wait_s = at_least_s + self._chance(0.0, self._retry.ceiling_s(self._failures))
        if not again or self._failures >= self._retry.tries or wait_s >= self._end - self._clock():
            raise error from cause
        return wait_s


def _retry_after(given: str | None) -> float | None:
    """Return the seconds of a Retry-After, which may also be a date; None for none that can be read."""
    if given is None:
        return None
    if given.strip().isdecimal():
        return float(given)
    try:
        moment = email.utils.parsedate_to_datetime(given)
    except ValueError:
        return None
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())
