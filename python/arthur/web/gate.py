"""Who may come in: rates, API keys, scopes, artists, and what a server without keys lets pass.

Everything here takes microseconds and touches neither disk nor network, so that a request is turned away before it
takes a place.
"""

from __future__ import annotations

import ipaddress
import math
from dataclasses import dataclass
from typing import Literal, Self
from urllib.parse import urlsplit

from arthur.access import KeyRing
from arthur.config import Settings
from arthur.errors import ConfigError, Forbidden, RateLimited, Unauthorized
from arthur.rates import Limiter, Rate, parse_rate
from arthur.types import SCOPES, ApiKey, Scope
from arthur.web.caller import Caller, Network, client_address, counted_as, networks, within
from arthur.web.http import Request
from arthur.web.routing import Route

NEEDED = "an API key is needed: send it as `Authorization: Bearer KEY` or as `X-API-Key: KEY`"
UNSAFE = (
    "writes are refused: the server listens on a public address and there is no API key; make one with "
    "`arthur keys create`, or serve with --open, or name the proxies in front with ARTHUR_TRUSTED_PROXIES"
)
CROSS_SITE = "a page of another site may not write here; name its origin in ARTHUR_CORS_ORIGINS, or use an API key"


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator decided.

    Attributes:
        public: whether the server listens on an address that is not the machine's own.
    """

    access: Literal["auto", "keys", "open"] = "auto"
    public: bool = False
    legacy_open: bool = False
    trusted: tuple[Network, ...] = ()
    key_rate: Rate | None = None
    address_rate: Rate | None = None
    origins: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Read the settings.

        Raises:
            ConfigError: a rate or a network is malformed.
        """
        return cls(
            access=settings.access,
            public=is_public(settings.host),
            legacy_open=settings.legacy_open,
            trusted=networks(settings.trusted_proxies, "trusted_proxies"),
            key_rate=_rate("key_rate", settings.key_rate),
            address_rate=_rate("address_rate", settings.address_rate),
            origins=settings.cors_origins,
        )


class Gate:
    """Admits callers to routes. Callable from any thread."""

    def __init__(self, ring: KeyRing, limiter: Limiter, rules: Rules) -> None:
        self._ring = ring
        self._limiter = limiter
        self._rules = rules

    @property
    def unsafe(self) -> bool:
        """Whether writes are refused because the server is public and nobody said who may write."""
        rules = self._rules
        return rules.public and rules.access == "auto" and not rules.trusted and not self._ring.any

    def arrive(self, request: Request) -> Caller:
        """Return who sent a request, as far as its address tells.

        Raises:
            RateLimited: this address asked too often.
        """
        client = client_address(request.peer, request.headers.get("x-forwarded-for", ""), self._rules.trusted)
        self._take(f"address:{counted_as(client)}", self._rules.address_rate)
        return Caller(client)

    def enter(self, route: Route, request: Request) -> Caller:
        """Return who sent a request, if they may do what it asks for.

        Raises:
            Unauthorized: a key is needed, and none that is accepted came.
            Forbidden: the key does not permit it, or without a key nobody may do it here.
            RateLimited: this key asked too often.
            StoreError: the catalog has not answered for too long to know the keys.
        """
        if route.scope == "open":
            return request.caller
        key = self._key(request, optional=self._rules.legacy_open and route.style == "legacy")
        if key is None:
            self._check_keyless(route, request)
            return request.caller
        self._take(f"key:{key.key_id}", self._rules.key_rate)
        _check_scope(key, route.scope)
        caller = Caller(request.caller.client, key.key_id, key.name, key.artists)
        if "artist_id" in request.params:
            caller.check(request.params["artist_id"])
        elif key.artists and not route.confined:
            raise Forbidden("this concerns the whole catalogue, and the API key is restricted to artists")
        return caller

    @property
    def demands(self) -> bool:
        """Whether callers need a key."""
        access = self._rules.access
        return access == "keys" or (access == "auto" and self._ring.any)

    def admit_listener(self, token: str) -> None:
        """Return if the holder of a token may follow the progress of the whole index.

        Raises:
            Unauthorized, Forbidden, StoreError: see enter.
        """
        if self._ring.holder(token).artists:
            raise Forbidden("the API key is restricted to artists")

    def _key(self, request: Request, *, optional: bool) -> ApiKey | None:
        """Return the key that came, None where none is needed."""
        if not self.demands:
            return None
        token = _presented(request)
        if not token:
            if optional:
                return None
            raise Unauthorized(NEEDED)
        return self._ring.holder(token)

    def _check_keyless(self, route: Route, request: Request) -> None:
        """Refuse writes that nobody decided to allow.

        A browser sends forms to any address for any page, loopback included; what it always tells is the page's origin.
        """
        if route.scope == "read":
            return
        rules = self._rules
        legacy = rules.legacy_open and route.style == "legacy"
        if rules.public and rules.access == "auto" and not legacy and not within(request.peer, rules.trusted):
            raise Forbidden(UNSAFE)
        origin = request.headers.get("origin")
        if origin is not None and not ({"*", origin} & set(rules.origins)) and not _same_host(origin, request):
            raise Forbidden(CROSS_SITE)

    def _take(self, name: str, rate: Rate | None) -> None:
        wait_s = 0.0 if rate is None else self._limiter.take(name, rate)
        if wait_s > 0:
            raise RateLimited("too many requests", retry_after_s=math.ceil(wait_s))


def is_public(host: str) -> bool:
    """Whether an address to listen on can be reached from other machines; a name that is not localhost counts so."""
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"


def _presented(request: Request) -> str:
    """Return the token of a request, "" without one. X-API-Key is ours alone, so it goes first."""
    given = request.headers.get("x-api-key", "")
    if given:
        return given.strip()
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _check_scope(key: ApiKey, needed: Scope) -> None:
    if SCOPES.index(key.scope) < SCOPES.index(needed):
        raise Forbidden(f"this needs an API key of scope {needed}; the one that came has {key.scope}")


def _same_host(origin: str, request: Request) -> bool:
    """Whether a page's origin is on the host that was asked, on any port: proxies often lose the port."""
    try:
        return urlsplit(origin).hostname == urlsplit(f"//{request.headers.get('host', '')}").hostname is not None
    except ValueError:
        return False


def _rate(name: str, text: str) -> Rate | None:
    try:
        return parse_rate(text)
    except ConfigError as error:
        raise ConfigError(f"setting {name!r}: {error}") from error
