"""API keys on a live server: every route of the table, each kind of key."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from arthur.types import SCOPES
from arthur.web.http import JSON
from arthur.web.routes import all_routes
from arthur.web.routing import Route

ROUTES = [pytest.param(route, id=f"{route.method} {route.path}") for route in all_routes()]
SECRET = "sesame"
IDS = {"artist_id": "foreign", "entry_id": "entry", "view_id": "view", "name": "page.js", "job_id": "none"}


@pytest.fixture(scope="session")
def foreign(keyed: Any) -> dict[str, str]:
    """A view of an artist that the restricted key has nothing to do with, and one of its own."""
    stored = {}
    for artist in ("foreign", "mine"):
        path = f"/api/v1/artists/{artist}/entries/entry/views/view"
        given = {
            "files": {"image": ("a.png", base_picture())},
            "data": {"word": SECRET if artist == "foreign" else "ok"},
        }
        stored[artist] = keyed.ask("PUT", path, "writer", **given).json()["vector_id"]
    return stored


def base_picture() -> bytes:
    pixels = np.random.default_rng(7).integers(9, 255, (8, 8, 3), dtype=np.uint8)
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "PNG")
    return encoded.getvalue()


def filled(route: Route, vector_id: str) -> str:
    """Return the route's path about the foreign view."""
    ids = {**IDS, "vector_id": vector_id, "image_id": vector_id}
    return re.sub(r"{(\w+)}", lambda found: ids[found[1]], route.path)


def body_for(route: Route) -> dict[str, Any]:
    """Return a body that the route understands."""
    if route.method not in ("POST", "PUT") or route.path.startswith("/api/v1/similar"):
        return {}
    if route.doc is not None and set(route.doc.bodies) == {JSON}:
        return {"json": {"mix": [{"image_base64": base64.b64encode(base_picture()).decode()}]}}
    return {"files": {name: ("a.png", base_picture()) for name in ("image", "imgFile")}}


def envelope(route: Route, answer: httpx.Response) -> bool:
    """Whether an error is told in the manner of the route."""
    members = set(answer.json())
    return members == {"detail"} if route.style == "legacy" else {"type", "status", "request_id"} <= members


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_asks_for_its_scope(keyed: Any, foreign: dict[str, str], route: Route) -> None:
    path = filled(route, foreign["foreign"]).replace("/foreign", "/nobody")
    answers = {
        name: keyed.ask(route.method, path, name, **body_for(route)) for name in ("", "reader", "writer", "admin")
    }
    statuses = {name: answer.status_code for name, answer in answers.items()}
    if route.scope == "open":
        assert not {401, 403} & set(statuses.values())
        return
    assert (statuses[""], envelope(route, answers[""])) == (401, True)
    assert answers[""].headers["www-authenticate"].startswith("Bearer")
    enough = dict(zip(("reader", "writer", "admin"), (n >= SCOPES.index(route.scope) for n in range(3)), strict=True))
    assert {name: statuses[name] not in (401, 403) for name in enough} == enough
    assert all(envelope(route, answers[name]) for name, passes in enough.items() if not passes)


@pytest.mark.parametrize("route", ROUTES)
def test_no_route_tells_a_restricted_key_of_other_artists(keyed: Any, foreign: dict[str, str], route: Route) -> None:
    before = keyed.ask("GET", "/api/v1/artists/foreign/entries/entry/views/view", "reader").json()
    query = {"artist_id": "foreign", "entry_id": "entry", "view_id": "view"}
    for params in ({}, query):
        answer = keyed.ask(route.method, filled(route, foreign["foreign"]), "mine", params=params, **body_for(route))
        assert answer.status_code < 500
        assert SECRET not in answer.text
        assert foreign["foreign"] not in answer.text.partition('"detail"')[0]
        if route.scope != "open" and "{" in route.path:
            assert answer.status_code in (403, 404)
    assert keyed.ask("GET", "/api/v1/artists/foreign/entries/entry/views/view", "reader").json() == before


def test_a_route_that_names_no_scope_is_for_administrators() -> None:
    assert Route("GET", "/x", all_routes()[0].handler).scope == "admin"


def test_a_restricted_key_finds_and_lists_its_own(keyed: Any, foreign: dict[str, str]) -> None:
    found = keyed.ask("POST", "/api/v1/match", "mine", files={"image": ("a.png", base_picture())}).json()["matches"]
    listed = keyed.ask("GET", "/api/v1/artists", "mine").json()["artists"]
    assert [one["artist_id"] for one in (*found, *listed)] == ["mine", "mine"]
    assert keyed.ask("GET", f"/api/v1/views/{foreign['mine']}/thumbnail", "mine").status_code == 200


def test_a_batch_of_v1_with_one_foreign_item_is_refused_whole(keyed: Any, foreign: dict[str, str]) -> None:
    item = {"entry_id": "new", "view_id": "v", "url": "http://example.org/a.png"}
    images = [{**item, "artist_id": "mine"}, {**item, "artist_id": "foreign"}]
    assert keyed.ask("POST", "/artist/image", "mine", json={"images": images}).status_code == 403


def test_a_thumbnail_that_needed_a_key_is_not_for_shared_caches(keyed: Any, foreign: dict[str, str]) -> None:
    answer = keyed.ask("GET", f"/api/v1/views/{foreign['mine']}/thumbnail", "mine")
    assert answer.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("route", ROUTES)
def test_every_answer_is_safe_for_browsers(keyed: Any, foreign: dict[str, str], route: Route) -> None:
    answer = keyed.ask(route.method, filled(route, foreign["mine"]))
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "unsafe-inline" not in answer.headers["content-security-policy"]
    assert "access-control-allow-origin" not in answer.headers


def test_the_style_of_the_api_page_is_the_one_its_policy_allows(keyed: Any) -> None:
    page = keyed.ask("GET", "/docs")
    style = re.findall("<style>(.*?)</style>", page.text, re.DOTALL)
    allowed = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
    assert (len(style), f"'sha256-{allowed}'" in page.headers["content-security-policy"]) == (1, True)


def test_openapi_names_the_scope_of_each_route(keyed: Any) -> None:
    paths = keyed.ask("GET", "/openapi.json").json()["paths"]
    for route in all_routes():
        if route.doc is not None:
            security = paths[route.path][route.method.lower()]["security"]
            assert security == (
                [] if route.scope == "open" else [{"bearer": [route.scope]}, {"api_key": [route.scope]}]
            )


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer"},
        {"authorization": "Bearer " + "a" * 20_000},
        {"x-api-key": "arthur_" + "a" * 16 + "_" + "a" * 52},
        {"x-api-key": "' OR 1=1 --"},
        {"authorization": "Basic YTpi"},
        {"cookie": "key=1"},
    ],
)
def test_hostile_keys_are_401(keyed: Any, headers: dict[str, str]) -> None:
    assert keyed.ask("GET", "/api/v1/artists", headers=headers).status_code == 401


def test_two_keys_at_once_are_none(keyed: Any) -> None:
    pair = [("X-API-Key", keyed.tokens["admin"]), ("X-API-Key", keyed.tokens["reader"])]
    assert httpx.get(keyed.url + "/api/v1/artists", headers=pair, verify=False).status_code == 401


def test_a_key_in_the_url_is_not_looked_at(keyed: Any) -> None:
    assert keyed.ask("GET", "/api/v1/artists", params={"api_key": keyed.tokens["admin"]}).status_code == 401


def test_a_preflight_needs_no_key(keyed: Any) -> None:
    assert keyed.ask("OPTIONS", "/api/v1/match").status_code == 204


def test_a_wrong_method_tells_nothing_more(keyed: Any) -> None:
    assert keyed.ask("PATCH", "/api/v1/artists").status_code == 405


def heard(address: str, token: str) -> str:
    """Return all that a listener is told until it is sent away."""
    messages = []
    with connect(address) as listener, suppress(ConnectionClosed):
        listener.send(token)
        while True:
            messages.append(str(listener.recv(timeout=20)))
    return "".join(messages)


def test_a_listener_shows_its_key_first(keyed: Any) -> None:
    address = keyed.url.replace("http", "ws") + "/ws/index-progress"
    with connect(address) as listener:
        listener.send(keyed.tokens["reader"])
        assert '"state"' in listener.recv(timeout=20)
    assert not [token for token in ("wrong", keyed.tokens["mine"]) if "state" in heard(address, token)]


@pytest.fixture
def longs() -> Callable[[int], str]:
    return lambda size: "a" * size


@pytest.mark.parametrize(("size", "status"), [(30_000, 404), (33_000, 414)])
def test_a_long_target_is_414(keyed: Any, longs: Callable[[int], str], size: int, status: int) -> None:
    assert keyed.ask("GET", "/" + longs(size)).status_code == status
    assert keyed.ask("GET", "/x?" + longs(size)).status_code == status


def test_long_headers_are_431(keyed: Any, longs: Callable[[int], str]) -> None:
    assert keyed.ask("GET", "/healthz", headers={"x-a": longs(40_000)}).status_code == 431
    assert keyed.ask("GET", "/healthz", headers={"x-a": longs(300_000)}).status_code == 431


@pytest.mark.parametrize(
    "body", ["[" * 2000, '{"mix":' + "[" * 100 + "]" * 100 + "}", '{"mix":[' + "[]," * 600_000 + "[]]}"]
)
def test_json_that_costs_too_much_is_400(keyed: Any, body: str) -> None:
    answer = keyed.ask("POST", "/api/v1/search", "reader", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
