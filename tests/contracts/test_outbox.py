"""Laws of every Outbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from arthur.catalog import Catalog, Outbox, open_catalog
from arthur.types import EventKind, NewView, ViewId, Webhook

URLS = {"sqlite": "sqlite:///{folder}/catalog.db"}


@pytest.fixture(params=list(URLS))
def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(URLS[request.param].format(folder=tmp_path))
    yield opened
    opened.close()


def put(catalog: Catalog, entry: str) -> int:
    vector = np.array([1, 0], np.float32)
    new = NewView(ViewId("a", entry, "v"), vector, "f", "hash", "", "jpeg", 4, 4, 9, {})
    return catalog.put([new])[0].stored.key


def hook_at(outbox: Outbox, *kinds: EventKind) -> Webhook:
    return outbox.put_webhook("https://example.org/", b"s" * 32, kinds, now_us=5)


def claimed(outbox: Outbox, now_us: int = 10) -> Webhook | None:
    return outbox.claim(now_us=now_us, lease_us=100)


def test_a_webhook_is_kept_and_removed(catalog: Catalog) -> None:
    hook = hook_at(catalog.outbox, "view.put")
    assert catalog.outbox.webhooks() == (hook,)
    assert [catalog.outbox.remove_webhook(hook.hook_id) for _ in range(2)] == [True, False]


def test_a_webhook_begins_with_what_happens_after_it(catalog: Catalog) -> None:
    put(catalog, "before")
    hook_at(catalog.outbox)
    assert claimed(catalog.outbox) is None
    put(catalog, "after")
    assert claimed(catalog.outbox) is not None


def test_a_claimed_webhook_is_nobody_elses_until_its_lease_ends(catalog: Catalog) -> None:
    hook_at(catalog.outbox)
    put(catalog, "e")
    assert claimed(catalog.outbox, 10) is not None
    assert claimed(catalog.outbox, 50) is None
    assert claimed(catalog.outbox, 110) is not None


def test_what_was_delivered_is_not_claimed_again(catalog: Catalog) -> None:
    hook = hook_at(catalog.outbox)
    key = put(catalog, "e")
    catalog.outbox.delivered(hook, position=key, told=0)
    assert claimed(catalog.outbox) is None
    put(catalog, "f")
    assert claimed(catalog.outbox) is not None


def test_a_failed_webhook_waits_for_its_time(catalog: Catalog) -> None:
    hook = hook_at(catalog.outbox)
    put(catalog, "e")
    catalog.outbox.failed(hook, "no answer", retry_us=1000)
    assert claimed(catalog.outbox, 999) is None
    again = claimed(catalog.outbox, 1000)
    assert again is not None
    assert (again.failures, again.error, again.position) == (1, "no answer", hook.position)


def test_happenings_tell_of_live_views_and_of_each_ending(catalog: Catalog) -> None:
    first, second = put(catalog, "e"), put(catalog, "f")
    again = put(catalog, "e")
    catalog.remove("a", "f", "v")
    told, upto = catalog.outbox.happenings(0, 10)
    assert [(one.key, one.stored is not None, one.replaced_key) for one in told] == [
        (again, True, first),
        (second, False, None),
    ]
    assert upto == catalog.latest()


def test_happenings_come_page_by_page(catalog: Catalog) -> None:
    keys = [put(catalog, f"e{n}") for n in range(5)]
    found, since = [], 0
    for _ in range(3):
        told, since = catalog.outbox.happenings(since, 2)
        found.extend(one.key for one in told)
    assert (found, since) == (keys, catalog.latest())


def test_a_notice_is_told_where_somebody_listens(catalog: Catalog) -> None:
    catalog.outbox.tell("import.finished", {"imported": 1}, now_us=7)
    assert catalog.outbox.notices(0, 10) == ()
    hook_at(catalog.outbox)
    catalog.outbox.tell("import.finished", {"imported": 2}, now_us=8)
    (notice,) = catalog.outbox.notices(0, 10)
    assert (notice.kind, notice.facts, notice.at_us) == ("import.finished", {"imported": 2}, 8)
    assert claimed(catalog.outbox) is not None


def test_a_notice_is_told_once_under_its_name(catalog: Catalog) -> None:
    hook = hook_at(catalog.outbox)
    for _ in range(2):
        catalog.outbox.tell("calibration.stale", {}, now_us=7, once="engine")
        catalog.outbox.delivered(hook, position=0, told=1)
    assert len(catalog.outbox.notices(0, 10)) == 1


def test_notices_that_all_were_told_of_go_and_their_numbers_never_come_back(catalog: Catalog) -> None:
    hook = hook_at(catalog.outbox)
    numbers = []
    for _ in range(3):
        catalog.outbox.tell("import.finished", {}, now_us=7)
        (notice,) = catalog.outbox.notices(0, 10)
        catalog.outbox.delivered(hook, position=0, told=notice.number)
        numbers.append(notice.number)
    assert numbers == sorted(set(numbers))
