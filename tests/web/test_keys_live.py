"""Keys that change while servers run, rates, public binds, and the audit log: each on servers of its own."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
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


@pytest.mark.service("valkey")
def test_workers_that_share_a_valkey_share_the_rates(own: Callable[..., Any], valkey_server: Any) -> None:
    shared = {"limiter": f"valkey://127.0.0.1:{valkey_server.port}", "address_rate": "30/h"}
    url = own(workers=2, **shared).url
    asked = {"headers": {"connection": "close"}, "timeout": 30}
    statuses = [httpx.get(f"{url}/list-pickles", **asked).status_code for _ in range(45)]
    assert 20 < statuses.count(200) <= 34


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


def test_a_write_that_cannot_be_audited_is_not_begun(
    own: Callable[..., Any], put_at: Callable[..., httpx.Response], data: Path
) -> None:
    url = own().url
    (data / "audit").write_text("a file where the folder should be")
    answer = put_at(url)
    assert (answer.status_code, "audit log" in answer.json()["detail"]) == (503, True)
    assert httpx.get(url + VIEW, verify=False).status_code == 404
    (data / "audit").unlink()
    assert put_at(url).status_code == 201


def test_a_write_that_a_crash_cut_off_has_a_record_without_an_outcome(
    own: Callable[..., Any], data: Path, pictures: Callable[..., bytes], in_time: Callable[..., Any]
) -> None:
    served = own(engine="slow:60")
    sent = {"content": pictures(1, dark=True), "headers": {"content-type": "image/png"}, "timeout": 60}

    def put() -> None:
        with suppress(httpx.TransportError):
            httpx.put(served.url + VIEW, verify=False, **sent)

    writer = threading.Thread(target=put)
    writer.start()
    assert in_time(lambda: (data / "audit").exists() and list(read_audit(data / "audit")))
    os.kill(served.workers()[0], signal.SIGKILL)
    writer.join()
    assert [row["event"] for row in read_audit(data / "audit")] == ["begin"]
