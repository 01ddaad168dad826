"""The outbox in an SQL database. See Outbox."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

import numpy as np
import orjson
from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update

from arthur.catalog.reading import views_by_key
from arthur.catalog.schema import endings, notices, state, views, webhooks
from arthur.types import EventKind, Happening, JsonValue, Notice, Webhook

__all__ = ["SqlOutbox", "put_notice"]

Transaction: TypeAlias = Callable[[], AbstractContextManager[Connection]]
_ID_BYTES = 10


class SqlOutbox:
    """See Outbox. `reading` and `writing` begin a transaction each."""

    def __init__(self, reading: Transaction, writing: Transaction) -> None:
        self._reading = reading
        self._writing = writing

    def put_webhook(self, url: str, secret: bytes, kinds: tuple[EventKind, ...], *, now_us: int) -> Webhook:
        """See Outbox.put_webhook."""
        with self._writing() as connection:
            position = connection.scalar(select(state.c.sequence)) or 0
            hook = Webhook(
                hook_id=secrets.token_hex(_ID_BYTES),
                url=url,
                secret=secret,
                kinds=kinds,
                created_us=now_us,
                position=position,
                told=_last_notice(connection),
            )
            row = {column.name: getattr(hook, column.name) for column in webhooks.c if hasattr(hook, column.name)}
            row |= {"kinds": orjson.dumps(kinds).decode(), "lease_us": 0}
            connection.execute(insert(webhooks).values(**row))
        return hook

    def webhooks(self) -> tuple[Webhook, ...]:
        """See Outbox.webhooks."""
        with self._reading() as connection:
            rows = connection.execute(select(webhooks).order_by(webhooks.c.created_us, webhooks.c.hook_id))
            return tuple(map(_webhook, rows))

    def remove_webhook(self, hook_id: str) -> bool:
        """See Outbox.remove_webhook."""
        with self._writing() as connection:
            return connection.execute(delete(webhooks).where(webhooks.c.hook_id == hook_id)).rowcount > 0

    def claim(self, *, now_us: int, lease_us: int) -> Webhook | None:
        """See Outbox.claim."""
        newest = select(func.coalesce(func.max(notices.c.number), 0)).scalar_subquery()
        latest = select(state.c.sequence).scalar_subquery()
        behind = or_(webhooks.c.position != latest, webhooks.c.told < newest)
        due = select(webhooks).where(behind, webhooks.c.retry_us <= now_us, webhooks.c.lease_us <= now_us)
        due = due.order_by(webhooks.c.retry_us).limit(1)
        with self._reading() as connection:
            if connection.execute(due).one_or_none() is None:
                return None
        with self._writing() as connection:  # asked again: another process may have been faster
            row = connection.execute(due).one_or_none()
            if row is None:
                return None
            free = (webhooks.c.hook_id == row.hook_id, webhooks.c.lease_us <= now_us)
            taken = connection.execute(update(webhooks).where(*free).values(lease_us=now_us + lease_us))
        return _webhook(row) if taken.rowcount == 1 else None

    def delivered(self, hook: Webhook, *, position: int, told: int) -> None:
        """See Outbox.delivered."""
        reached = {"position": position, "told": told, "failures": 0, "retry_us": 0, "error": "", "lease_us": 0}
        self._change(hook, reached)

    def failed(self, hook: Webhook, error: str, *, retry_us: int) -> None:
        """See Outbox.failed."""
        self._change(hook, {"failures": hook.failures + 1, "retry_us": retry_us, "error": error, "lease_us": 0})

    def happenings(self, since: int, limit: int) -> tuple[tuple[Happening, ...], int]:
        """See Outbox.happenings."""
        with self._reading() as connection:
            latest = connection.scalar(select(state.c.sequence)) or 0
            puts = select(views.c.key).where(views.c.key > since).order_by(views.c.key).limit(limit + 1)
            put_keys = list(connection.scalars(puts))
            ended = select(endings).where(endings.c.sequence > since).order_by(endings.c.sequence).limit(limit + 1)
            ended_at = {row.sequence: row.key for row in connection.execute(ended)}
            numbers = sorted({*put_keys, *ended_at})
            upto = numbers[limit - 1] if len(numbers) > limit else latest
            live = views_by_key(connection, np.array([key for key in put_keys if key <= upto], np.int64))
        happened = (_happening(number, live, ended_at) for number in numbers if number <= upto)
        return tuple(happened), upto

    def notices(self, since: int, limit: int) -> tuple[Notice, ...]:
        """See Outbox.notices."""
        query = select(notices).where(notices.c.number > since).order_by(notices.c.number).limit(limit)
        with self._reading() as connection:
            rows = connection.execute(query).all()
        return tuple(Notice(row.number, row.kind, row.at_us, orjson.loads(row.facts)) for row in rows)

    def tell(self, kind: EventKind, facts: Mapping[str, JsonValue], *, now_us: int, once: str = "") -> None:
        """See Outbox.tell."""
        with self._writing() as connection:
            put_notice(connection, kind, facts, now_us=now_us, once=once)

    def _change(self, hook: Webhook, values: Mapping[str, Any]) -> None:
        with self._writing() as connection:
            connection.execute(update(webhooks).where(webhooks.c.hook_id == hook.hook_id).values(**values))


def put_notice(
    connection: Connection, kind: EventKind, facts: Mapping[str, JsonValue], *, now_us: int, once: str = ""
) -> None:
    """See Outbox.tell. Within a transaction of the only writer: numbers of notices become visible in their order."""
    told = connection.scalar(select(func.min(webhooks.c.told)))
    if told is None:
        return
    connection.execute(delete(notices).where(notices.c.number <= told, notices.c.once == ""))
    if once and connection.scalar(select(notices.c.number).where(notices.c.once == once).limit(1)):
        return
    row = {"kind": kind, "at_us": now_us, "facts": orjson.dumps(facts).decode(), "once": once}
    connection.execute(insert(notices).values(**row))


def _happening(number: int, live: Mapping[int, Any], ended_at: Mapping[int, int]) -> Happening:
    """Return what happened at a number: a put, which may have ended a key, or the ending of one."""
    if number in live:
        return Happening(number, number, live[number], ended_at.get(number))
    return Happening(number, ended_at[number], None)


def _last_notice(connection: Connection) -> int:
    return connection.scalar(select(func.max(notices.c.number))) or 0


def _webhook(row: Row[Any]) -> Webhook:
    fields = dict(row._mapping)  # SQLAlchemy's public name for it
    del fields["lease_us"]
    return Webhook(**{**fields, "secret": bytes(fields["secret"]), "kinds": tuple(orjson.loads(fields["kinds"]))})
