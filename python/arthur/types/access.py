"""Who may ask for what: API keys as they are stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Scope: TypeAlias = Literal["read", "write", "admin"]
"""What a key may do. Each one includes those before it."""

SCOPES: tuple[Scope, ...] = ("read", "write", "admin")
MAX_KEY_ARTISTS = 100
"""Artists to which a key may be restricted; as many as a question may name."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key without its secret. Times are microseconds since 1970 UTC.

    Attributes:
        key_id: public name of the key, the first half of its token.
        name: what an operator calls it.
        digest: 32 bytes that the secret hashes to.
        artists: the only artists it may read or write; empty for all.
        expires_us: from here on it is not accepted; None for never.
        revoked_us: when it was taken back.
        used_us: when it was last used, to the hour.
        replaces: key_id of the key whose successor it is, or "".
    """

    key_id: str
    name: str
    digest: bytes = field(repr=False)
    scope: Scope
    artists: tuple[str, ...]
    created_us: int
    expires_us: int | None = None
    revoked_us: int | None = None
    used_us: int | None = None
    replaces: str = ""

    def state(self, now_us: int) -> Literal["active", "expired", "revoked"]:
        """Tell whether it is accepted at that time, and if not, why."""
        if self.revoked_us is not None:
            return "revoked"
        return "expired" if self.expires_us is not None and self.expires_us <= now_us else "active"
