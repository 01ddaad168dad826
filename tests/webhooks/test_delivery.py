"""Delivery over a real catalogue: what is told, in which order, how often, and when again."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from arthur.catalog import Catalog, open_catalog
from arthur.errors import FetchError
from arthur.types import NewView, ViewId
from arthur.webhooks import Courier
from arthur.webhooks.delivery import LEASE_US

SECRET = b"s" * 32


class Receiver:
    """Takes messages, and answers with `status`; -1 is a connection that fails, -2 a process that dies."""

    def __init__(self) -> None:
        self.status = 200
        self.got: list[tuple[dict[str, str], bytes]] = []

    def __call__(self, url: str, body: bytes, headers: Any) -> int:
        self.got.append((dict(headers), body))
        if self.status == -1:
            raise FetchError("no answer")
        if self.status == -2:
            raise KeyboardInterrupt
        return self.status

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for _, body in self.got for event in orjson.loads(body)["events"]]


class Clock:
    now_s = 1000.0

    def __call__(self) -> int:
        return int(self.now_s * 1e9)


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(f"sqlite:///{tmp_path}/catalog.db")
    yield opened
    opened.close()


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def courier(catalog: Catalog, receiver: Receiver, clock: Clock) -> Courier:
    catalog.outbox.put_webhook("https://example.org/", SECRET, (), now_us=1)
    return Courier(catalog.outbox, receiver, clock_ns=clock, chance=lambda: 1.0)


def put(catalog: Catalog, entry: str) -> None:
    new = NewView(ViewId("a", entry, "v"), np.array([1, 0], np.float32), "f", "hash", "", "jpeg", 4, 4, 9, {})
    catalog.put([new])


def deliver_all(courier: Courier) -> int:
    count = 0
    while courier.deliver():
        count += 1
    return count


def test_each_change_is_told_once_and_in_order(catalog: Catalog, courier: Courier, receiver: Receiver) -> None:
    for number in range(250):
        put(catalog, f"e{number}")
    catalog.remove("a", "e0")
    assert (deliver_all(courier), deliver_all(courier)) == (3, 0)
    told = receiver.events
    assert [event["sequence"] for event in told] == sorted({event["sequence"] for event in told})
    assert [event["event"] for event in told] == ["view.put"] * 249 + ["view.removed"]
    assert told[0]["entry_id"] == "e1"


def test_a_message_is_signed_over_its_id_time_and_body(catalog: Catalog, courier: Courier, receiver: Receiver) -> None:
    put(catalog, "e")
    courier.deliver()
    ((headers, body),) = receiver.got
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["webhook-timestamp"] == "1000"


@pytest.mark.parametrize("status", [-1, 199, 301, 404, 500])
def test_what_did_not_arrive_is_told_again_later_and_later(
    catalog: Catalog, courier: Courier, receiver: Receiver, clock: Clock, status: int
) -> None:
    put(catalog, "e")
    receiver.status = status
    assert (courier.deliver(), courier.deliver()) == (True, False)
    clock.now_s += 1.1
    assert (courier.deliver(), courier.deliver()) == (True, False)
    clock.now_s += 1.1
    assert courier.deliver() is False
    receiver.status, clock.now_s = 200, clock.now_s + 1.1
    assert (courier.deliver(), courier.deliver()) == (True, False)
    assert len({body for _, body in receiver.got}) == 1


def test_a_pause_is_an_hour_at_most(catalog: Catalog, courier: Courier, receiver: Receiver, clock: Clock) -> None:
    put(catalog, "e")
    receiver.status = 500
    for _ in range(40):
        courier.deliver()
        clock.now_s += 3601
    assert catalog.outbox.webhooks()[0].failures == 40


def test_what_a_dead_process_had_claimed_is_told_by_another(
    catalog: Catalog, courier: Courier, receiver: Receiver, clock: Clock
) -> None:
    put(catalog, "e")
    receiver.status = -2
    with pytest.raises(KeyboardInterrupt):
        courier.deliver()
    receiver.status = 200
    assert courier.deliver() is False
    clock.now_s += LEASE_US / 1e6
    assert courier.deliver() is True
    assert [event["event"] for event in receiver.events] == ["view.put"] * 2


def test_one_webhook_that_fails_keeps_no_other_waiting(catalog: Catalog, courier: Courier, receiver: Receiver) -> None:
    catalog.outbox.put_webhook("https://example.org/other", SECRET, (), now_us=2)
    put(catalog, "e")
    receiver.status = 500
    courier.deliver()
    receiver.status = 200
    courier.deliver()
    assert sorted(hook.failures for hook in catalog.outbox.webhooks()) == [0, 1]


def test_a_webhook_hears_only_what_it_wants(catalog: Catalog, courier: Courier, receiver: Receiver) -> None:
    catalog.outbox.remove_webhook(catalog.outbox.webhooks()[0].hook_id)
    catalog.outbox.put_webhook("https://example.org/", SECRET, ("import.finished",), now_us=2)
    put(catalog, "e")
    assert (deliver_all(courier), receiver.got) == (1, [])
    catalog.outbox.tell("import.finished", {"imported": 3}, now_us=5)
    deliver_all(courier)
    assert [(event["event"], event["imported"]) for event in receiver.events] == [("import.finished", 3)]
