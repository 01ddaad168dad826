"""Delivers messages, one webhook after the other; several processes share the work through leases in the catalog."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping

import structlog

from arthur.catalog import Outbox
from arthur.errors import ArthurError, FetchError, StoreError
from arthur.types import Webhook
from arthur.webhooks.messages import events_for, message
from arthur.webhooks.signing import signature

log = structlog.get_logger(__name__)

LEASE_US = 60 * 10**6
"""A webhook whose process died is taken over after this; far longer than a try may take."""
EVERY_S = 1.0
_BATCH = 100
_LONGEST_PAUSE_S = 3600.0
_TOO_MANY_DOUBLINGS = 12


class Courier:
    """Tells webhooks what they have not been told yet. Callable from any thread.

    What was told is remembered after the receiver said so with a 2xx; a process that dies between leaves its events to
    be told again, by another process once the lease has ended.
    """

    def __init__(
        self,
        outbox: Outbox,
        post: Callable[[str, bytes, Mapping[str, str]], int],
        *,
        clock_ns: Callable[[], int] = time.time_ns,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`post` sends a body with headers to a URL and returns the status; `chance` gives numbers in [0, 1)."""
        self._outbox = outbox
        self._post = post
        self._clock_ns = clock_ns
        self._chance = chance
        self._stop = threading.Event()

    def deliver(self) -> bool:
        """Tell one webhook one message, if any has to be told; return whether there was one.

        Raises:
            StoreError: the catalog does not answer.
        """
        hook = self._outbox.claim(now_us=self._now_us(), lease_us=LEASE_US)
        if hook is None:
            return False
        happenings, position = self._outbox.happenings(hook.position, _BATCH)
        notices = self._outbox.notices(hook.told, _BATCH)
        upto = (position, notices[-1].number if notices else hook.told)
        events = events_for(hook, happenings, notices)
        try:
            if events:
                self._send(hook, *message(hook, events, upto=upto))
        except ArthurError as error:
            pause_s = self._pause_s(hook.failures)
            log.warning("webhook_failed", webhook=hook.hook_id, error=str(error), retry_s=round(pause_s, 1))
            self._outbox.failed(hook, str(error), retry_us=self._now_us() + int(pause_s * 1e6))
        else:
            self._outbox.delivered(hook, position=upto[0], told=upto[1])
        return True

    def follow(self) -> None:
        """Deliver in the background until closed."""
        threading.Thread(target=self._follow, name="webhooks", daemon=True).start()

    def close(self) -> None:
        """Stop delivering. Closing twice is allowed."""
        self._stop.set()

    def _follow(self) -> None:
        while not self._stop.wait(EVERY_S):
            try:
                while self.deliver() and not self._stop.is_set():
                    continue
            except StoreError as error:
                log.warning("webhooks_wait", error=str(error))

    def _send(self, hook: Webhook, message_id: str, body: bytes) -> None:
        """Send a message. Raises FetchError, BadRequest when it did not arrive."""
        timestamp_s = self._clock_ns() // 10**9
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp_s),
            "webhook-signature": signature(hook.secret, message_id=message_id, timestamp_s=timestamp_s, body=body),
        }
        status = self._post(hook.url, body, headers)
        if not 200 <= status < 300:
            raise FetchError(f"the receiver answered {status}")

    def _pause_s(self, failures: int) -> float:
        """Return how long to wait after a further failure: twice as long each time, up to an hour, never in step."""
        longest = min(_LONGEST_PAUSE_S, 2.0 ** min(failures, _TOO_MANY_DOUBLINGS))
        return longest * (0.5 + self._chance() / 2)

    def _now_us(self) -> int:
        return self._clock_ns() // 1000
