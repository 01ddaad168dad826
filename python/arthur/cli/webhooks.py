"""`arthur webhooks`: who is told of what happens to the catalogue."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from arthur.cli.options import Data, Json
from arthur.cli.output import answer, emit
from arthur.errors import BadRequest, NotFound

if TYPE_CHECKING:
    from arthur.catalog import Outbox
    from arthur.types import EventKind, Webhook

app = typer.Typer(help="Put, list and remove webhooks.", no_args_is_help=True)


@app.command("put")
def put(
    url: Annotated[str, typer.Argument(help="Where to post: http or https, on the public internet.")],
    *,
    event: Annotated[
        list[str] | None,
        typer.Option(help="Only this one of view.put, view.removed, import.finished, calibration.stale; repeatable."),
    ] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Tell a URL what happens from now on, and show the secret by which it can check what it gets, this once."""
    from arthur.fetch.addresses import check_form
    from arthur.webhooks import SECRET_BYTES, shown_secret

    check_form(url)
    kinds = _kinds(event or [])
    secret = secrets.token_bytes(SECRET_BYTES)
    with _outbox(data) as outbox:
        hook = outbox.put_webhook(url, secret, kinds, now_us=time.time_ns() // 1000)
    shown = shown_secret(secret)
    answer({**_row(hook), "secret": shown}, shown, json=json)


@app.command("list")
def list_(*, data: Data = None, json: Json = False) -> None:
    """List webhooks, how far each was told, and why the last try failed, if it did."""
    with _outbox(data) as outbox:
        rows = [_row(hook) for hook in outbox.webhooks()]
    for row in rows:
        if json:
            emit(row)
        else:
            state = f"{row['failures']} failures: {row['error']}" if row["failures"] else "ok"
            typer.echo(f"{row['webhook']}  {row['url']}  told up to {row['catalog_seq']}  {state}")


@app.command("remove")
def remove(
    webhook: Annotated[str, typer.Argument(help="The webhook's id, as `arthur webhooks list` shows it.")],
    *,
    data: Data = None,
    json: Json = False,
) -> None:
    """Tell a webhook nothing any more."""
    with _outbox(data) as outbox:
        if not outbox.remove_webhook(webhook):
            raise NotFound(f"there is no webhook {webhook}; `arthur webhooks list` shows all")
    answer({"removed": webhook}, f"{webhook} is removed", json=json)


def _kinds(names: list[str]) -> tuple[EventKind, ...]:
    """Return events by their names. Raises BadRequest when there is none of a name."""
    from arthur.types import EVENT_KINDS

    unknown = set(names) - set(EVENT_KINDS)
    if unknown:
        raise BadRequest(f"there is no event {min(unknown)!r}; there are {', '.join(EVENT_KINDS)}")
    return tuple(kind for kind in EVENT_KINDS if kind in names)


@contextmanager
def _outbox(data: object) -> Iterator[Outbox]:
    from arthur.catalog import open_catalog
    from arthur.config import load_settings

    catalog = open_catalog(load_settings(data=data).catalog_url)
    try:
        yield catalog.outbox
    finally:
        catalog.close()


def _row(hook: Webhook) -> dict[str, object]:
    return {
        "webhook": hook.hook_id,
        "url": hook.url,
        "events": list(hook.kinds),
        "created": datetime.fromtimestamp(hook.created_us / 1e6, UTC).isoformat(timespec="minutes"),
        "catalog_seq": hook.position,
        "failures": hook.failures,
        "error": hook.error,
    }
