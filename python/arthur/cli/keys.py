"""`arthur keys`: make, list, take back and replace API keys. They are kept in the catalog, and servers follow it."""

from __future__ import annotations

import os
import pwd
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from arthur.cli.durations import microseconds
from arthur.cli.options import Data, Json
from arthur.cli.output import answer, emit
from arthur.errors import NotFound

if TYPE_CHECKING:
    from arthur.audit import AuditLog
    from arthur.catalog import Catalog
    from arthur.types import ApiKey, JsonValue

app = typer.Typer(help="Make, list, revoke and rotate API keys.", no_args_is_help=True)

Scope = Annotated[
    Literal["read", "write", "admin"], typer.Option(help="What it permits; each scope includes those before it.")
]
KeyId = Annotated[str, typer.Argument(help="The key's id, as `arthur keys list` shows it.")]


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What to call it: the app or the person that gets it.")],
    *,
    scope: Scope = "read",
    artist: Annotated[list[str] | None, typer.Option("--artist", help="Only this artist; may be repeated.")] = None,
    expires: Annotated[str | None, typer.Option(help="Lifetime, such as 90d or 12h.", show_default="never")] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Make a key and show its token, this once. From the first one on, every server of the catalogue demands keys."""
    from arthur.access import NewKey, make_key

    lifetime_us = None if expires is None else microseconds(expires)
    token, key = make_key(NewKey(name, scope, tuple(artist or ()), lifetime_us), now_us=_now_us())
    with _opened(data) as shelf:
        shelf.note("create", key)
        shelf.catalog.put_api_keys([key])
    answer({**_row(key), "token": str(token)}, str(token), json=json)


@app.command("list")
def list_(*, data: Data = None, json: Json = False) -> None:
    """List all keys, also those that have ended. `used` is the hour of the last use."""
    with _opened(data) as shelf:
        rows = [_row(key) for key in shelf.catalog.api_keys()]
    for row in rows:
        if json:
            emit(row)
        else:
            typer.echo("{key_id}  {state:8}{scope:6} until {expires}  used {used}  {name}{only}".format(**_shown(row)))


@app.command("revoke")
def revoke(key_id: KeyId, *, data: Data = None, json: Json = False) -> None:
    """Take a key back for good. Running servers refuse it within two seconds."""
    with _opened(data) as shelf:
        key = shelf.key(key_id)
        ended = key if key.revoked_us is not None else replace(key, revoked_us=_now_us())
        shelf.note("revoke", ended)
        shelf.catalog.put_api_keys([ended])
    answer(_row(ended), f"{key_id} is revoked", json=json)


@app.command("rotate")
def rotate(
    key_id: KeyId,
    *,
    overlap: Annotated[str, typer.Option(help="How long the old key is still accepted, such as 24h.")] = "24h",
    data: Data = None,
    json: Json = False,
) -> None:
    """Make a successor that permits the same, show its token, and let the old key end after the overlap."""
    from arthur.access import succeed

    with _opened(data) as shelf:
        token, successor, ending = succeed(shelf.key(key_id), now_us=_now_us(), overlap_us=microseconds(overlap))
        shelf.note("rotate", successor)
        shelf.catalog.put_api_keys([ending, successor])
    answer({**_row(successor), "token": str(token)}, str(token), json=json)


@dataclass(frozen=True, slots=True)
class _Shelf:
    """The catalog, and the log in which each change of a key is noted before it is made."""

    catalog: Catalog
    audit: AuditLog

    def key(self, key_id: str) -> ApiKey:
        """Return a key. Raises NotFound when there is none of that id."""
        for key in self.catalog.api_keys():
            if key.key_id == key_id:
                return key
        raise NotFound(f"there is no API key {key_id}; `arthur keys list` shows all")

    def note(self, action: str, key: ApiKey) -> None:
        """Write into the audit log who is about to do what. Raises StoreError when it cannot be written."""
        facts: dict[str, JsonValue] = {"scope": key.scope, "artists": list(key.artists), "replaces": key.replaces}
        named: dict[str, JsonValue] = {"api_key": key.key_id, "api_key_name": key.name}
        self.audit.write({"event": "keys", "action": action, "user": _user(), **named, **facts})


@contextmanager
def _opened(data: object) -> Iterator[_Shelf]:
    from arthur.audit import AuditLog
    from arthur.catalog import open_catalog
    from arthur.config import load_settings

    settings = load_settings(data=data)
    catalog, audit = open_catalog(settings.catalog_url), AuditLog(settings.audit_folder)
    try:
        yield _Shelf(catalog, audit)
    finally:
        audit.close()
        catalog.close()


def _user() -> str:
    """Return who runs this: the name, or the number of a user without one, as in many containers."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _row(key: ApiKey) -> dict[str, object]:
    """Return a key as a JSON object; its digest stays in the catalog."""
    return {
        "key_id": key.key_id,
        "name": key.name,
        "state": key.state(_now_us()),
        "scope": key.scope,
        "artists": list(key.artists),
        "created": _time(key.created_us),
        "expires": _time(key.expires_us),
        "revoked": _time(key.revoked_us),
        "used": _time(key.used_us),
        "replaces": key.replaces,
    }


def _shown(row: dict[str, object]) -> dict[str, object]:
    artists = row["artists"]
    only = f"  only {', '.join(artists)}" if isinstance(artists, list) and artists else ""
    return {**{name: "never" if value is None else value for name, value in row.items()}, "only": only}


def _time(at_us: int | None) -> str | None:
    return None if at_us is None else datetime.fromtimestamp(at_us / 1e6, UTC).isoformat(timespec="minutes")


def _now_us() -> int:
    return time.time_ns() // 1000
