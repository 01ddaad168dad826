"""What a webhook is sent."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson

from arthur.types import Happening, JsonValue, Notice, Webhook


def events_for(hook: Webhook, happenings: tuple[Happening, ...], notices: tuple[Notice, ...]) -> list[JsonValue]:
    """Return the events that a webhook wants, those of views first, each kind in its order."""
    told: list[JsonValue] = [
        event
        for event in (*map(_view_event, happenings), *map(_notice_event, notices))
        if not hook.kinds or event["event"] in hook.kinds
    ]
    return told


def message(hook: Webhook, events: list[JsonValue], *, upto: tuple[int, int]) -> tuple[str, bytes]:
    """Return the id and the body of a message.

    The id names the stretch of history that it tells of. Sent again after more has happened it may tell of more, under
    another id; each event has its own number by which a receiver knows it again.
    """
    message_id = f"{hook.hook_id}:{hook.position}-{upto[0]}:{hook.told}-{upto[1]}"
    return message_id, orjson.dumps({"webhook": hook.hook_id, "catalog_seq": upto[0], "events": events})


def _view_event(one: Happening) -> dict[str, JsonValue]:
    if one.stored is None:
        return {"event": "view.removed", "sequence": one.sequence, "key": one.key}
    view = one.stored.view
    return {
        "event": "view.put",
        "sequence": one.sequence,
        "key": one.key,
        "replaced_key": one.replaced_key,
        "artist_id": view.artist_id,
        "entry_id": view.entry_id,
        "view_id": view.view_id,
        "vector_id": one.stored.vector_id,
        "content_hash": one.stored.content_hash,
        "updated_at": one.stored.updated_at.isoformat(),
    }


def _notice_event(one: Notice) -> dict[str, JsonValue]:
    at = datetime.fromtimestamp(one.at_us / 1e6, UTC).isoformat(timespec="milliseconds")
    return {"event": one.kind, "notice": one.number, "at": at, **one.facts}
