"""API keys in the SQL catalogue. Each function works inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson
from sqlalchemy import Connection, Row, func, insert, literal, or_, select, update

from arthur.catalog.schema import api_keys
from arthur.types import ApiKey

__all__ = ["api_keys_revision", "list_api_keys", "note_api_key_uses", "put_api_keys"]


def put_api_keys(connection: Connection, keys: Sequence[ApiKey]) -> None:
    """See Catalog.put_api_keys."""
    revision = api_keys_revision(connection) + 1
    for key in keys:
        row = {
            "name": key.name,
            "digest": key.digest,
            "scope": key.scope,
            "artists": orjson.dumps(key.artists).decode(),
            "created_us": key.created_us,
            "expires_us": key.expires_us,
            "replaces": key.replaces,
            "revision": revision,
        }
        revoked = func.coalesce(api_keys.c.revoked_us, literal(key.revoked_us, api_keys.c.revoked_us.type))
        replaced = connection.execute(
            update(api_keys).where(api_keys.c.key_id == key.key_id).values(**row, revoked_us=revoked)
        )
        if replaced.rowcount == 0:
            connection.execute(insert(api_keys).values(key_id=key.key_id, revoked_us=key.revoked_us, **row))


def list_api_keys(connection: Connection) -> tuple[ApiKey, ...]:
    """See Catalog.api_keys."""
    query = select(api_keys).order_by(api_keys.c.created_us, api_keys.c.key_id)
    return tuple(map(_api_key, connection.execute(query)))


def api_keys_revision(connection: Connection) -> int:
    """See Catalog.api_keys_revision."""
    return connection.scalar(select(func.max(api_keys.c.revision))) or 0


def note_api_key_uses(connection: Connection, used_us: Mapping[str, int]) -> None:
    """See Catalog.note_api_key_uses."""
    for key_id, when in used_us.items():
        older = or_(api_keys.c.used_us.is_(None), api_keys.c.used_us < when)
        connection.execute(update(api_keys).where(api_keys.c.key_id == key_id, older).values(used_us=when))


def _api_key(row: Row[tuple[object, ...]]) -> ApiKey:
    fields = dict(row._mapping)
    del fields["revision"]
    return ApiKey(**{**fields, "digest": bytes(fields["digest"]), "artists": tuple(orjson.loads(fields["artists"]))})
