"""`arthur audit`: what was changed, when, by whom, and what came of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from arthur.cli.durations import microseconds
from arthur.cli.options import Data, Json
from arthur.cli.output import emit

if TYPE_CHECKING:
    from arthur.types import JsonValue

    Record = dict[str, JsonValue]

_LAST = 50


def audit(
    *,
    since: Annotated[str | None, typer.Option(help="Only what is younger, such as 2d or 12h.")] = None,
    key: Annotated[str | None, typer.Option(help="Only what was done with this API key, or to it.")] = None,
    last: Annotated[int, typer.Option("-n", "--last", min=0, help="So many at most, the newest; 0 is all.")] = _LAST,
    data: Data = None,
    json: Json = False,
) -> None:
    """Show the audit log of this data folder, oldest first. A write without an outcome was cut off by a crash."""
    from arthur.audit import read_audit
    from arthur.config import load_settings

    start = "" if since is None else _moment(since)
    writes = _joined(read_audit(load_settings(data=data).audit_folder))
    shown = (one for one in writes if str(one["at"]) >= start and key in (None, one.get("key"), one.get("api_key")))
    for one in deque(shown, maxlen=last or None):
        if json:
            emit(one)
        else:
            typer.echo(_line(one))


def _moment(since: str) -> str:
    start = datetime.now(UTC) - timedelta(microseconds=microseconds(since))
    return start.isoformat(timespec="milliseconds")


def _joined(records: Iterable[Record]) -> list[Record]:
    """Join each write with its outcome, in the order of the beginnings."""
    shown: list[Record] = []
    begun: dict[str, Record] = {}
    for record in records:
        if record.get("event") == "end":
            write = begun.pop(str(record["write"]), None)
            if write is not None:
                write |= {"ended_at": record["at"], **{k: v for k, v in record.items() if k not in ("at", "event")}}
            continue
        shown.append(record)
        if record.get("event") == "begin":
            begun[str(record["write"])] = record
    return shown


def _line(one: Record) -> str:
    if one.get("event") == "keys":
        return f"{one['at']}  {one['action']:6} API key {one['api_key']} ({one['api_key_name']})  by {one['user']}"
    who = f"{one['key']} ({one['key_name']})" if one.get("key") else "no key"
    outcome = one.get("status", "no outcome")
    return f"{one['at']}  {outcome}  {one['method']} {one['path']}  {who}  from {one['client']}"
