"""The keys as a server knows them: all in memory, and never more than seconds behind the catalog."""

from __future__ import annotations

import hmac
import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol

import structlog

from arthur.access.tokens import digest_of, parse_token
from arthur.errors import StoreError, Unauthorized
from arthur.types import ApiKey

log = structlog.get_logger(__name__)

FOLLOW_S = 1.0
"""A revocation reaches a server within this and the time of one query."""
BLIND_S = 30.0
"""A server that has not seen the catalog for so long accepts no key: one may have been revoked meanwhile."""
_USE_US = 3600 * 10**6
_NO_DIGEST = bytes(32)


class KeyStore(Protocol):
    """What a ring needs of the catalog. See Catalog."""

    def api_keys(self) -> tuple[ApiKey, ...]:
        """See Catalog.api_keys."""
        ...

    def api_keys_revision(self) -> int:
        """See Catalog.api_keys_revision."""
        ...

    def note_api_key_uses(self, used_us: Mapping[str, int]) -> None:
        """See Catalog.note_api_key_uses."""
        ...


class KeyRing:
    """Knows who holds a key. Callable from any thread; `holder` takes microseconds and asks nothing of the catalog."""

    def __init__(
        self,
        store: KeyStore,
        *,
        clock_ns: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read the keys.

        Raises:
            StoreError: the catalog does not answer.
        """
        self._store = store
        self._clock_ns = clock_ns
        self._monotonic = monotonic
        self._revision = -1
        self._keys: Mapping[str, ApiKey] = {}
        self._lock = threading.Lock()
        self._noted: dict[str, int] = {}
        self._unsaved: dict[str, int] = {}
        self._seen_at = 0.0
        self._stop = threading.Event()
        self.refresh()

    @property
    def any(self) -> bool:
        """Whether a key was ever made; one that has ended since still counts, so that nothing opens by itself."""
        return bool(self._keys)

    def holder(self, text: str) -> ApiKey:
        """Return the key that a client's token belongs to.

        Raises:
            Unauthorized: there is none, or it is accepted no more; only the holder is told which.
            StoreError: the catalog has not answered for too long to know.
        """
        if self._monotonic() - self._seen_at > BLIND_S:
            raise StoreError("API keys cannot be checked: the catalog does not answer")
        token = parse_token(text)
        key = None if token is None else self._keys.get(token.key_id)
        known = _NO_DIGEST if key is None else key.digest
        given = _NO_DIGEST if token is None else digest_of(token)
        if not hmac.compare_digest(known, given) or key is None:
            raise Unauthorized("the API key is not known")
        now_us = self._clock_ns() // 1000
        state = key.state(now_us)
        if state != "active":
            raise Unauthorized(f"the API key is {state}")
        self._note_use(key, now_us - now_us % _USE_US)
        return key

    def refresh(self) -> None:
        """Read the keys anew if they changed, and remember in the catalog which were used.

        Raises:
            StoreError: the catalog does not answer.
        """
        asked_at = self._monotonic()
        revision = self._store.api_keys_revision()
        if revision != self._revision:
            self._keys = {key.key_id: key for key in self._store.api_keys()}
            self._revision = revision
        self._seen_at = asked_at
        with self._lock:
            unsaved, self._unsaved = self._unsaved, {}
        try:
            self._store.note_api_key_uses(unsaved)
        except StoreError:
            with self._lock:
                self._unsaved = {**unsaved, **self._unsaved}
            raise

    def follow(self) -> None:
        """Refresh in the background until closed."""
        threading.Thread(target=self._follow, name="api-keys", daemon=True).start()

    def close(self) -> None:
        """Stop refreshing. Closing twice is allowed."""
        self._stop.set()

    def _follow(self) -> None:
        silent = False
        while not self._stop.wait(FOLLOW_S):
            try:
                self.refresh()
            except StoreError as error:
                if not silent:
                    log.warning("api_keys_not_followed", error=str(error))
                silent = True
            else:
                silent = False

    def _note_use(self, key: ApiKey, hour_us: int) -> None:
        """Note the hour of a use, once in that hour."""
        if hour_us > self._noted.get(key.key_id, key.used_us or 0):
            with self._lock:
                self._noted[key.key_id] = self._unsaved[key.key_id] = hour_us
