"""Cursors of lists: where a page ended, as opaque text that only fits the list it came from."""

from __future__ import annotations

import base64
import binascii
import hashlib

import orjson

from arthur.errors import BadRequest

__all__ = ["MAX_LIMIT", "check_limit", "read_cursor", "write_cursor"]

MAX_LIMIT = 1000
"""Most rows of one page."""
_MAX_LENGTH = 2**14


def check_limit(limit: int) -> int:
    """Return `limit` if a page may have that many rows.

    Raises:
        BadRequest: it is not in 1..MAX_LIMIT.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise BadRequest(f"limit must be from 1 to {MAX_LIMIT}")
    return limit


def write_cursor(scope: tuple[str, ...], last: tuple[str, ...]) -> str:
    """Return the cursor behind the row with the ids `last` of the list named `scope`."""
    return base64.urlsafe_b64encode(orjson.dumps([_digest(scope), *last])).decode()


def read_cursor(cursor: str | None, scope: tuple[str, ...], length: int) -> tuple[str, ...] | None:
    """Return the `length` ids behind which to go on; None without a cursor.

    Raises:
        BadRequest: the cursor is not one that this list gave.
    """
    if cursor is None:
        return None
    foreign = BadRequest("the cursor is not one of this list")
    if len(cursor) > _MAX_LENGTH:
        raise foreign
    try:
        parts = orjson.loads(base64.b64decode(cursor.encode(), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise foreign from error
    if not isinstance(parts, list) or len(parts) != length + 1 or not all(isinstance(part, str) for part in parts):
        raise foreign
    if parts[0] != _digest(scope):
        raise foreign
    return tuple(parts[1:])


def _digest(scope: tuple[str, ...]) -> str:
    # A caller's id may be no Unicode; the database is the one to refuse it.
    return hashlib.blake2b("\0".join(scope).encode(errors="surrogatepass"), digest_size=6).hexdigest()
