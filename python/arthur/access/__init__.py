"""API keys: what they look like, how they are made and succeeded, and who holds one."""

from __future__ import annotations

from arthur.access.making import NewKey, make_key, succeed
from arthur.access.ring import KeyRing, KeyStore
from arthur.access.tokens import Token, digest_of, parse_token, without_secrets

__all__ = [
    "KeyRing",
    "KeyStore",
    "NewKey",
    "Token",
    "digest_of",
    "make_key",
    "parse_token",
    "succeed",
    "without_secrets",
]
