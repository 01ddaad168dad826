"""Keys that change while servers run, rates, public binds, and the audit log: each on servers of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from arthur.access import NewKey, make_key, succeed
from arthur.audit import read_audit
from arthur.catalog import open_catalog
from arthur.types import ApiKey

VIEW = "/api/v1/artists/a/entries/e/views/v"


def now_us() -> int:
    return time.time_ns() // 1000


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def keep(data: Path) -> Callable[..., None]:
    """Put keys into the catalogue, as the command line does."""

    def keeping(*keys: ApiKey) -> None:
        with closing(open_catalog(f"sqlite:///{data}/catalog.db")) as catalog:
            catalog.put_api_keys(keys)

    return keeping


def statuses(url: str, token: object = None, path: str = "/api/v1/artists", count: int = 8) -> set[int]:
    """Ask on new connections, so that every worker is met."""
    headers = {} if token is None else {"x-api-key": str(token)}
    return {httpx.get(url + path, headers=headers, verify=False).status_code for _ in range(count)}


@pytest.fixture
def put_at(pictures: Callable[..., bytes]) -> Callable[..., httpx.Response]:
    """Put a view: `put_at(url, token)`."""

    def putting(url: str, token: object = "", **headers: str) -> httpx.Response:
        sent = {"content-type": "image/png", **({"x-api-key": str(token)} if token else {}), **headers}
        return httpx.put(url + VIEW, content=pictures(1), headers=sent, verify=False, timeout=30)

    return putting


def test_keys_are_demanded_by_every_worker_soon_after_the_first_is_made(
    own: Callable[..., Any], keep: Callable[..., None], in_time: Callable[..., Any]
) -> None:
    url = own(workers=2).url
    assert statuses(url) == {200}
    token, key = make_key(NewKey("app"), now_us=now_us())
    keep(key)
    assert in_time(lambda: statuses(url) == {401} and statuses(url, token) == {200})
    keep(replace(key, revoked_us=now_us()))
    assert in_time(lambda: statuses(url, token) == {401})
    assert statuses(url) == {401}


def test_both_keys_work_while_a_rotation_overlaps(
    own: Callable[..., Any], keep: Callable[..., None], in_time: Callable[..., Any]
) -> None:
    old, key = make_key(NewKey("app"), now_us=now_us())
    keep(key)
    url = own().url
    new, successor, ending = succeed(key, now_us=now_us(), overlap_us=3600 * 10**6)
    keep(ending, successor)
    assert in_time(lambda: statuses(url, new) == {200})
    assert statuses(url, old) == {200}
    keep(replace(ending, expires_us=now_us()))
    assert in_time(lambda: statuses(url, old) == {401})


def test_the_last_use_of_a_key_is_kept(
    own: Callable[..., Any], keep: Callable[..., None], data: Path, in_time: Callable[..., Any]
) -> None:
    token, key = make_key(NewKey("app"), now_us=now_us())
    keep(key)
    statuses(own().url, token, count=1)
    with closing(open_catalog(f"sqlite:///{data}/catalog.db")) as catalog:
        assert in_time(lambda: catalog.api_keys()[0].used_us)
        assert catalog.api_keys()[0].used_us % 3_600_000_000 == 0


def test_too_many_requests_of_a_key_are_429_and_others_go_on(
    own: Callable[..., Any], keep: Callable[..., None]
) -> None:
    made = [make_key(NewKey(name), now_us=now_us()) for name in "ab"]
    keep(*(key for _, key in made))
    url = own(key_rate="3/h").url
    assert statuses(url, made[0][0], count=3) == {200}
    refused = httpx.get(url + "/api/v1/artists", headers={"x-api-key": str(made[0][0])}, verify=False)
    assert (refused.status_code, refused.json()["type"]) == (429, "/problems/rate_limited")
    assert 1000 < int(refused.headers["retry-after"]) <= 1200
    assert statuses(url, made[1][0], count=1) == {200}


def test_an_address_cannot_lift_its_limit_by_what_it_says(own: Callable[..., Any]) -> None:
    url = own(address_rate="8/h").url  # those of the fixture included
    answers = [
        httpx.get(
            url + "/status", headers={"x-forwarded-for": f"9.9.9.{n}", "forwarded": f"for=9.9.9.{n}"}, verify=False
        )
        for n in range(12)
    ]
    assert answers[-1].status_code == 429
    assert answers[-1].json() == {"detail": "too many requests"}


def test_a_trusted_proxy_speaks_for_its_clients(own: Callable[..., Any]) -> None:
    url = own(address_rate="3/h", trusted_proxies=["127.0.0.0/8"]).url
    answers = [httpx.get(url + "/status", headers={"x-forwarded-for": f"9.9.9.{n}"}, verify=False) for n in range(12)]
    assert {answer.status_code for answer in answers} == {200}


def test_a_public_server_without_keys_warns_and_refuses_writes(
    own: Callable[..., Any], put_at: Callable[..., httpx.Response]
) -> None:
    served = own(host="0.0.0.0")
    answer = put_at(served.url)
    assert (answer.status_code, "arthur keys create" in answer.json()["detail"]) == (403, True)
    legacy = httpx.post(served.url + "/artist/image", json={"images": []}, verify=False)
    assert (legacy.status_code, list(legacy.json())) == (403, ["detail"])
    assert statuses(served.url) == {200}
    assert '"event": "writes_refused"' in served.log.read_text()


def test_a_public_server_takes_writes_when_told_to(
    own: Callable[..., Any], put_at: Callable[..., httpx.Response]
) -> None:
    served = own(host="0.0.0.0", access="open")
    assert put_at(served.url).status_code == 201
    assert "writes_refused" not in served.log.read_text()


def test_legacy_routes_stay_open_when_told_to(
    own: Callable[..., Any], keep: Callable[..., None], pictures: Callable[..., bytes]
) -> None:
    keep(make_key(NewKey("app"), now_us=now_us())[1])
    url = own(legacy_open=True).url
    files = {"imgFile": ("a.png", pictures(1))}
    assert httpx.post(url + "/artist/image/a/e/v", files=files, verify=False).status_code == 200
    assert httpx.post(url + "/match", files=files, verify=False).json()["message"] == "Matched"
    assert statuses(url) == {401}


def test_a_page_of_another_site_cannot_write_to_a_server_without_keys(
    own: Callable[..., Any], put_at: Callable[..., httpx.Response]
) -> None:
    url = own(cors_origins=["https://app.example"]).url
    assert put_at(url, origin="https://evil.example").status_code == 403
    assert put_at(url, origin="https://app.example").status_code == 201
    assert put_at(url, origin=url).status_code == 200


@pytest.fixture
def begun(own: Callable[..., Any], keep: Callable[..., None]) -> tuple[str, str, str]:
    """A server, and a write key with its id."""
    token, key = make_key(NewKey("app", "write"), now_us=now_us())
    keep(key)
    return own(fetch_allow=["127.0.0.0/8"]).url, str(token), key.key_id


def test_each_write_is_audited_with_who_what_and_outcome(
    begun: tuple[str, str, str], put_at: Callable[..., httpx.Response], data: Path
) -> None:
    url, token, key_id = begun
    put_at(url, token, **{"x-request-id": "mine"})
    httpx.delete(url + "/api/v1/artists/nobody", headers={"x-api-key": token}, verify=False)
    statuses(url, token)
    rows = list(read_audit(data / "audit"))
    assert [row["event"] for row in rows] == ["begin", "end"] * 2
    assert (rows[0]["key"], rows[0]["request_id"], rows[0]["path"], rows[0]["client"]) == (
        key_id,
        "mine",
        VIEW,
        "127.0.0.1",
    )
    assert [(rows[n]["write"], rows[n]["status"]) for n in (1, 3)] == [(rows[0]["write"], 201), (rows[2]["write"], 404)]
    assert rows[1]["views"] == ["a.e.v"]


def test_no_secret_is_in_the_log_or_in_the_audit(
    begun: tuple[str, str, str], put_at: Callable[..., httpx.Response], data: Path, tmp_path: Path
) -> None:
    url, token, _ = begun
    put_at(url, token)
    statuses(url, token[:-1] + "a")
    kept = [path.read_bytes() for path in (tmp_path / "log", *(data / "audit").iterdir(), *data.glob("catalog.db*"))]
    assert not [text for text in kept if token.rpartition("_")[2].encode() in text]


def test_a_batch_of_v1_is_audited_view_by_view(
    begun: tuple[str, str, str], data: Path, web_page: Callable[[bytes], str], pictures: Callable[..., bytes]
) -> None:
    url, token, _ = begun
    images = [{"artist_id": "a", "entry_id": f"e{n}", "view_id": "v", "url": web_page(pictures(n))} for n in range(2)]
    httpx.post(url + "/artist/image", json={"images": images}, headers={"x-api-key": token}, verify=False)
    (_, outcome) = read_audit(data / "audit")
    assert (outcome["status"], outcome["views"], outcome["count"]) == (200, ["a.e0.v", "a.e1.v"], 2)


def test_a_write_that_cannot_be_audited_is_not_begun(
    begun: tuple[str, str, str], put_at: Callable[..., httpx.Response], data: Path
) -> None:
    url, token, _ = begun
    (data / "audit").write_text("a file where the folder should be")
    answer = put_at(url, token)
    assert (answer.status_code, "audit log" in answer.json()["detail"]) == (503, True)
    assert httpx.get(url + VIEW, headers={"x-api-key": token}, verify=False).status_code == 404
    (data / "audit").unlink()
    assert put_at(url, token).status_code == 201


def test_a_record_is_one_line_of_json(begun: tuple[str, str, str], data: Path, pictures: Callable[..., bytes]) -> None:
    url, token, _ = begun
    path = "/api/v1/artists/a%0Ab/entries/e/views/v%22"
    headers = {"x-api-key": token, "content-type": "image/png"}
    httpx.put(url + path, params={"metadata": '{"a": "\n"}'}, content=pictures(1), headers=headers, verify=False)
    (file,) = (data / "audit").iterdir()
    assert [orjson.loads(line)["event"] for line in file.read_bytes().splitlines()] == ["begin", "end"]
