"""What a client sends: `arthur_` and the key's public name, then the secret.

The prefix lets scanners for leaked secrets find a token. The name finds the row, so that what is secret is only ever
compared, never searched for. The secret is 256 random bits, so its hash needs neither salt nor slowness: there is no
dictionary to try. BLAKE2b is keyed by the name, which makes a stored digest worthless in any other row.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field

NAME_BYTES, SECRET_BYTES = 10, 32
_TOKEN = re.compile(r"arthur_([a-z2-7]{16})_([a-z2-7]{52})")
_SECRETS = re.compile(r"(arthur_[a-z2-7]{16}_)[a-z2-7]+")


@dataclass(frozen=True, slots=True)
class Token:
    """A token in its two parts, both lower-case base32."""

    key_id: str
    secret: str = field(repr=False)

    def __str__(self) -> str:
        """Return the token as clients send it."""
        return f"arthur_{self.key_id}_{self.secret}"


def parse_token(text: str) -> Token | None:
    """Read a token; None for any other text, in time that its length bounds."""
    found = _TOKEN.fullmatch(text)
    return None if found is None else Token(*found.groups())


def without_secrets(text: str) -> str:
    """Return a text with the secret taken out of each token in it, for logs; the keys' names stay."""
    return _SECRETS.sub(r"\1...", text)


def new_token(random: Callable[[int], bytes]) -> Token:
    """Return a new token; `random` gives that many unpredictable bytes."""
    return Token(_base32(random(NAME_BYTES)), _base32(random(SECRET_BYTES)))


def digest_of(token: Token) -> bytes:
    """Return the 32 bytes by which a token is known."""
    key = hashlib.blake2b(token.secret.encode(), digest_size=32, key=token.key_id.encode(), person=b"arthur-api-key")
    return key.digest()


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=").lower()
