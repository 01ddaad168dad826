"""Who may come in, decision by decision, without a server."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from arthur.access import NewKey, Token, make_key
from arthur.config import Settings
from arthur.errors import ArthurError, ConfigError, Forbidden, RateLimited, Unauthorized
from arthur.rates import Rate
from arthur.types import ApiKey
from arthur.web.caller import Caller, client_address, counted_as, networks
from arthur.web.gate import Gate, Rules, is_public
from arthur.web.http import Response
from arthur.web.routing import Route
from tests.web.doors import asked, gate_of

TRUSTED = networks(("10.0.0.0/8", "fd00::/8"), "trusted_proxies")


def route(scope: Any, path: str = "/x", **given: Any) -> Route:
    return Route("POST", path, lambda *_: Response(200), scope=scope, **given)


def made(*artists: str, scope: Any = "read") -> tuple[Token, ApiKey]:
    return make_key(NewKey("app", scope, artists), now_us=1)


def outcome(gate: Gate, asked_for: Route, **given: Any) -> type[ArthurError] | Caller:
    try:
        return gate.enter(asked_for, asked(**given))
    except ArthurError as error:
        return type(error)


@pytest.mark.parametrize(
    ("host", "public"),
    [("127.0.0.1", False), ("127.8.8.8", False), ("::1", False), ("localhost", False), ("0.0.0.0", True), ("::", True),
     ("192.168.1.4", True), ("arthur.example", True)],
)  # fmt: skip
def test_only_loopback_is_not_public(host: str, public: object) -> None:
    assert is_public(host) == public


@pytest.mark.parametrize("scope", ["open", "read", "write", "admin"])
def test_without_keys_a_private_server_takes_everything(scope: str) -> None:
    assert outcome(gate_of(), route(scope)) == Caller()


@pytest.mark.parametrize(("scope", "expected"), [("read", Caller()), ("write", Forbidden), ("admin", Forbidden)])
def test_without_keys_a_public_server_refuses_writes(scope: str, expected: Any) -> None:
    gate = gate_of(public=True)
    assert (outcome(gate, route(scope)), gate.unsafe) == (expected, True)


def test_who_says_open_gets_open() -> None:
    gate = gate_of(public=True, access="open")
    assert (outcome(gate, route("admin")), gate.unsafe) == (Caller(), False)


def test_a_public_server_takes_writes_through_its_trusted_proxy_alone() -> None:
    gate = gate_of(public=True, trusted=TRUSTED)
    assert outcome(gate, route("write"), peer="10.0.0.1") == Caller()
    assert outcome(gate, route("write"), peer="11.0.0.1") is Forbidden


def test_keys_can_be_demanded_before_there_is_one() -> None:
    assert outcome(gate_of(access="keys"), route("read")) is Unauthorized


@pytest.mark.parametrize("headers", ["Bearer {}", "bearer {}", "BEARER   {}"])
def test_a_bearer_token_is_taken(headers: str) -> None:
    token, key = made()
    caller = outcome(gate_of(key), route("read"), headers={"authorization": headers.format(token)})
    assert caller == Caller("", key.key_id, "app")


def test_x_api_key_is_taken_beside_another_authorization() -> None:
    token, key = made()
    headers = {"authorization": "Basic dXNlcjpwYXNz", "x-api-key": str(token)}
    assert isinstance(outcome(gate_of(key), route("read"), headers=headers), Caller)


@given(st.dictionaries(st.sampled_from(["authorization", "x-api-key"]), st.text()))
@example({"authorization": "Bearer"})
@example({"authorization": "Bearer \udc80"})
def test_no_header_opens_the_gate_but_the_token(headers: dict[str, str]) -> None:
    _, key = made()
    assert outcome(gate_of(key), route("read"), headers=headers) is Unauthorized


@pytest.mark.parametrize("held", ["read", "write", "admin"])
@pytest.mark.parametrize("needed", ["read", "write", "admin"])
def test_a_scope_includes_those_before_it(held: str, needed: str) -> None:
    token, key = made(scope=held)
    order = ["read", "write", "admin"]
    caller = outcome(gate_of(key), route(needed), headers={"x-api-key": str(token)})
    assert (caller is not Forbidden) == (order.index(held) >= order.index(needed))


def test_a_restricted_key_is_kept_out_of_what_does_not_name_its_artist() -> None:
    token, key = made("a")
    gate, headers = gate_of(key), {"x-api-key": str(token)}
    named = route("read", "/x/{artist_id}")
    assert isinstance(outcome(gate, named, headers=headers, params={"artist_id": "a"}), Caller)
    assert outcome(gate, named, headers=headers, params={"artist_id": "b"}) is Forbidden
    assert outcome(gate, route("read"), headers=headers) is Forbidden
    assert isinstance(outcome(gate, route("read", confined=True), headers=headers), Caller)


def test_legacy_routes_can_stay_open() -> None:
    gate = gate_of(made()[1], legacy_open=True, public=True)
    assert outcome(gate, route("write", style="legacy")) == Caller()
    assert outcome(gate, route("write")) is Unauthorized
    assert outcome(gate, route("write", style="legacy"), headers={"x-api-key": "wrong"}) is Unauthorized


@pytest.mark.parametrize("scope", ["write", "admin"])
@pytest.mark.parametrize(
    ("origin", "passes"),
    [("https://evil.example", False), ("null", False), ("http://arthur.example:9", True), ("https://app.example", True),
     ("http://[", False), ("", False)],
)  # fmt: skip
def test_a_page_of_another_site_writes_only_when_named(scope: str, origin: str, passes: object) -> None:
    gate = gate_of(origins=("https://app.example",))
    headers = {"origin": origin, "host": "arthur.example:9000"}
    assert (outcome(gate, route(scope), headers=headers) is not Forbidden) == passes


def test_a_page_of_another_site_may_read_what_cors_lets_it_see() -> None:
    assert outcome(gate_of(), route("read"), headers={"origin": "https://evil.example"}) == Caller()


def test_a_key_is_counted_and_told_when_to_come_back() -> None:
    token, key = made()
    gate = gate_of(key, key_rate=Rate(0.1, 1))
    headers = {"x-api-key": str(token)}
    gate.enter(route("read"), asked(headers=headers))
    with pytest.raises(RateLimited) as caught:
        gate.enter(route("read"), asked(headers=headers))
    assert 1 <= caught.value.retry_after_s <= 10


@pytest.mark.parametrize(("one", "other"), [("1.1.1.1", "2.2.2.2"), ("2001:db8:1::1", "2001:db8:2::1")])
def test_addresses_are_counted_apart(one: str, other: str) -> None:
    gate = gate_of(address_rate=Rate(0.1, 1))
    gate.arrive(asked(peer=one))
    assert gate.arrive(asked(peer=other)).client == other
    with pytest.raises(RateLimited):
        gate.arrive(asked(peer=one, headers={"x-forwarded-for": other}))


def test_a_host_cannot_count_anew_by_another_address_of_its_network() -> None:
    assert counted_as("2001:db8::1") == counted_as("2001:db8::ffff:1") == "2001:db8::/64"


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "9.9.9.9", "9.9.9.9"),
        ("10.0.0.1", "1.2.3.4, 9.9.9.9, 10.0.0.2", "9.9.9.9"),
        ("10.0.0.1", "9.9.9.9, nonsense", "10.0.0.1"),
        ("10.0.0.1", "::ffff:9.9.9.9", "9.9.9.9"),
        ("8.8.8.8", "9.9.9.9", "8.8.8.8"),
        ("", "9.9.9.9", ""),
    ],
)
def test_forwarded_addresses_are_believed_as_far_as_proxies_are_trusted(peer: str, forwarded: str, client: str) -> None:
    assert client_address(peer, forwarded, TRUSTED) == client


@given(st.text(), st.text())
def test_a_client_address_is_the_peer_or_an_address(peer: str, forwarded: str) -> None:
    assert client_address(peer, forwarded, ()) == peer
    found = client_address("10.0.0.1", forwarded, TRUSTED)
    assert ipaddress.ip_address(found) is not None


@pytest.mark.parametrize(
    "settings", [{"trusted_proxies": ("nonsense",)}, {"key_rate": "fast"}, {"address_rate": "1/day"}]
)
def test_a_malformed_setting_is_named(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(settings))):
        Rules.of(Settings(**settings))


@given(st.lists(st.sampled_from("abc"), unique=True), st.lists(st.sampled_from("abcd")))
def test_a_search_never_leaves_the_artists_of_its_caller(own: list[str], wanted: list[str]) -> None:
    try:
        found = Caller(artists=tuple(own)).among(wanted)
    except Forbidden:
        assert not set(own) & set(wanted)
    else:
        assert set(found) <= set(own or wanted)
        assert found or not own
