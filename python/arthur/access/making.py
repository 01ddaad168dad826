"""Making API keys, and making their successors."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

from arthur.access.tokens import Token, digest_of, new_token
from arthur.errors import BadRequest, Conflict
from arthur.types import MAX_KEY_ARTISTS, ApiKey, Scope, check_id

_MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class NewKey:
    """What an operator wants of a key. `lifetime_us` is None for a key that does not expire."""

    name: str
    scope: Scope = "read"
    artists: tuple[str, ...] = ()
    lifetime_us: int | None = None


def make_key(
    wanted: NewKey, *, now_us: int, replaces: str = "", random: Callable[[int], bytes] = secrets.token_bytes
) -> tuple[Token, ApiKey]:
    """Return a new key, and the token that is shown once and kept nowhere.

    Raises:
        BadRequest: the name, an artist or the lifetime cannot be, or an admin key is to be restricted.
    """
    _check(wanted)
    token = new_token(random)
    expires_us = None if wanted.lifetime_us is None else now_us + wanted.lifetime_us
    key = ApiKey(
        key_id=token.key_id,
        name=wanted.name,
        digest=digest_of(token),
        scope=wanted.scope,
        artists=tuple(dict.fromkeys(wanted.artists)),
        created_us=now_us,
        expires_us=expires_us,
        replaces=replaces,
    )
    return token, key


def succeed(key: ApiKey, *, now_us: int, overlap_us: int) -> tuple[Token, ApiKey, ApiKey]:
    """Return a successor that may do what `key` may, for as long as it could, and `key` ending after the overlap.

    Raises:
        Conflict: the key is accepted no more, so there is nothing to succeed to.
        BadRequest: the overlap is negative.
    """
    if key.state(now_us) != "active":
        raise Conflict(f"the key {key.key_id} is {key.state(now_us)}; create a new one")
    if overlap_us < 0:
        raise BadRequest("the overlap must not be negative")
    lifetime_us = None if key.expires_us is None else key.expires_us - key.created_us
    wanted = NewKey(key.name, key.scope, key.artists, lifetime_us)
    token, successor = make_key(wanted, now_us=now_us, replaces=key.key_id)
    end_us = now_us + overlap_us
    ending = replace(key, expires_us=end_us if key.expires_us is None else min(key.expires_us, end_us))
    return token, successor, ending


def _check(wanted: NewKey) -> None:
    if not wanted.name.strip() or len(wanted.name) > _MAX_NAME or not wanted.name.isprintable():
        raise BadRequest(f"a key's name must be 1 to {_MAX_NAME} printable characters")
    for artist_id in wanted.artists:
        check_id(artist_id, "artist_id")
    if len(wanted.artists) > MAX_KEY_ARTISTS:
        raise BadRequest(f"a key can be restricted to {MAX_KEY_ARTISTS} artists at most")
    if wanted.artists and wanted.scope == "admin":
        raise BadRequest("an admin key concerns the whole catalogue and cannot be restricted to artists")
    if wanted.lifetime_us is not None and wanted.lifetime_us <= 0:
        raise BadRequest("a key must expire in the future")
