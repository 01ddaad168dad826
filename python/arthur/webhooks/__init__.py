"""Webhooks: telling others what happened to the catalogue, signed, in order, and at least once."""

from __future__ import annotations

from arthur.webhooks.delivery import Courier
from arthur.webhooks.signing import SECRET_BYTES, shown_secret, signature

__all__ = ["SECRET_BYTES", "Courier", "shown_secret", "signature"]
