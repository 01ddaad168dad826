"""Signatures in the manner of Standard Webhooks, so that receivers can check them with a library of their language."""

from __future__ import annotations

import base64
import hashlib
import hmac

SECRET_BYTES = 32


def signature(secret: bytes, *, message_id: str, timestamp_s: int, body: bytes) -> str:
    """Return what `webhook-signature` says: HMAC-SHA256 over the id, the time and the body."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()


def shown_secret(secret: bytes) -> str:
    """Return a secret as its receiver keeps it."""
    return "whsec_" + base64.b64encode(secret).decode()
