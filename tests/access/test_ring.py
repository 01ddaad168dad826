"""Who holds a key, over a real catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from arthur.access import KeyRing, NewKey, Token, make_key
from arthur.access.ring import BLIND_S
from arthur.catalog import Catalog, open_catalog
from arthur.errors import StoreError, Unauthorized
from arthur.types import ApiKey

HOUR = 3_600_000_000


class Clock:
    now_us, steady_s = 10 * HOUR + 5, 0.0


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(f"sqlite:///{tmp_path}/catalog.db")
    yield opened
    opened.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ring(catalog: Catalog, clock: Clock) -> KeyRing:
    return KeyRing(catalog, clock_ns=lambda: clock.now_us * 1000, monotonic=lambda: clock.steady_s)


@pytest.fixture
def held(catalog: Catalog, ring: KeyRing) -> tuple[Token, ApiKey]:
    token, key = make_key(NewKey("app", lifetime_us=HOUR), now_us=10 * HOUR)
    catalog.put_api_keys([key])
    ring.refresh()
    return token, key


def test_a_ring_without_keys_says_so(ring: KeyRing) -> None:
    assert not ring.any


def test_the_holder_of_a_token_is_found(ring: KeyRing, held: tuple[Token, ApiKey]) -> None:
    token, key = held
    assert ring.holder(str(token)) == key
    assert ring.any


@pytest.mark.parametrize(
    "change", [lambda t: Token(t.key_id, "a" * 52), lambda t: Token("a" * 16, t.secret), lambda _: "x"]
)
def test_any_other_token_is_not_known(ring: KeyRing, held: tuple[Token, ApiKey], change: object) -> None:
    with pytest.raises(Unauthorized, match="not known"):
        ring.holder(str(change(held[0])))  # type: ignore[operator]


def test_a_revocation_by_another_process_is_seen_at_the_next_refresh(
    ring: KeyRing, held: tuple[Token, ApiKey], tmp_path: Path
) -> None:
    other = open_catalog(f"sqlite:///{tmp_path}/catalog.db")
    other.put_api_keys([replace(held[1], revoked_us=1)])
    other.close()
    ring.refresh()
    with pytest.raises(Unauthorized, match="revoked"):
        ring.holder(str(held[0]))
    assert ring.any


def test_an_expired_key_is_refused_without_a_refresh(ring: KeyRing, clock: Clock, held: tuple[Token, ApiKey]) -> None:
    clock.now_us = 11 * HOUR
    with pytest.raises(Unauthorized, match="expired"):
        ring.holder(str(held[0]))


def test_a_ring_that_lost_sight_of_the_catalog_accepts_no_key(
    ring: KeyRing, clock: Clock, held: tuple[Token, ApiKey]
) -> None:
    clock.steady_s = BLIND_S + 1
    with pytest.raises(StoreError):
        ring.holder(str(held[0]))
    ring.refresh()
    assert ring.holder(str(held[0])) == held[1]


def test_the_last_use_is_kept_to_the_hour(ring: KeyRing, catalog: Catalog, held: tuple[Token, ApiKey]) -> None:
    ring.holder(str(held[0]))
    ring.refresh()
    assert catalog.api_keys()[0].used_us == 10 * HOUR


def test_a_use_that_cannot_be_kept_is_kept_later(catalog: Catalog, clock: Clock) -> None:
    token, key = make_key(NewKey("app"), now_us=10 * HOUR)
    catalog.put_api_keys([key])
    flaky = Flaky(catalog)
    ring = KeyRing(flaky, clock_ns=lambda: clock.now_us * 1000, monotonic=lambda: clock.steady_s)
    ring.holder(str(token))
    flaky.full = True
    with pytest.raises(StoreError):
        ring.refresh()
    flaky.full = False
    ring.refresh()
    assert catalog.api_keys()[0].used_us == 10 * HOUR


class Flaky:
    """A catalog that can be read, and written to while its disk is not full."""

    def __init__(self, catalog: Catalog) -> None:
        self.api_keys, self.api_keys_revision = catalog.api_keys, catalog.api_keys_revision
        self.note, self.full = catalog.note_api_key_uses, False

    def note_api_key_uses(self, used_us: Mapping[str, int]) -> None:
        if self.full:
            raise StoreError("no space left")
        self.note(used_us)
