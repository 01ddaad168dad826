"""Gates and ledgers for tests that need no server."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from arthur.access import KeyRing
from arthur.audit import AuditLog
from arthur.rates.memory import MemoryLimiter
from arthur.types import ApiKey
from arthur.web.auditing import Ledger
from arthur.web.gate import Gate, Rules
from arthur.web.http import Request


class Keys:
    """A store of keys in memory."""

    def __init__(self, *keys: ApiKey) -> None:
        self.keys = keys

    def api_keys(self) -> tuple[ApiKey, ...]:
        return self.keys

    def api_keys_revision(self) -> int:
        return len(self.keys)

    def note_api_key_uses(self, used_us: Mapping[str, int]) -> None:
        """Nothing is kept."""


def gate_of(*keys: ApiKey, **rules: Any) -> Gate:
    """Return a gate that knows these keys."""
    return Gate(KeyRing(Keys(*keys)), MemoryLimiter(), Rules(**rules))


def ledger() -> Ledger:
    """Return a ledger in a folder of its own."""
    return Ledger(AuditLog(Path(tempfile.mkdtemp()) / "audit"))


def asked(path: str = "/", method: str = "GET", **given: Any) -> Request:
    """Return a request."""
    return Request(
        **{"query": {}, "headers": {}, "body": b"", "request_id": "id", "path": path, "method": method, **given}
    )
