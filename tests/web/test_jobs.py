"""Imports over HTTP, done by the server's own workers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

JOBS = "/api/v1/jobs"


@pytest.fixture
def begin(client: httpx.Client, artist: str) -> Callable[..., httpx.Response]:
    """Begin to import URLs as entries of the test's own artist: `begin(url, key="k")`."""

    def beginning(*urls: str, key: str = "", **more: Any) -> httpx.Response:
        items = [{"artist_id": artist, "entry_id": f"e{n}", "url": url, **more} for n, url in enumerate(urls)]
        headers = {"idempotency-key": f"{artist} {key}"} if key else {}
        return client.post(JOBS, json={"items": items}, headers=headers)

    return beginning


@pytest.fixture
def ended(client: httpx.Client, in_time: Any) -> Callable[[str], Any]:
    """Wait until a job is done."""

    def waiting(job_id: str) -> Any:
        def done() -> Any:
            job = client.get(f"{JOBS}/{job_id}").json()
            return job if job["state"] == "done" else None

        return in_time(done, 60)

    return waiting


def test_pictures_are_imported_by_their_urls_and_found(
    client: httpx.Client, begin: Any, ended: Any, web_page: Any, pictures: Any, artist: str
) -> None:
    answer = begin(web_page(pictures(71)), web_page(pictures(72)), title="Night")
    assert (answer.status_code, answer.headers["location"]) == (201, f"{JOBS}/{answer.json()['job_id']}")
    job = ended(answer.json()["job_id"])
    assert (job["imported"], job["total"], job["listed"], job["eta_s"]) == (2, 2, True, None)
    (match, *_) = client.post("/api/v1/match?k=1", content=pictures(72), headers={"content-type": "image/png"}).json()[
        "matches"
    ]
    assert (match["artist_id"], match["entry_id"], match["metadata"]) == (artist, "e1", {"title": "Night"})


def test_a_job_is_begun_once_under_its_key(begin: Any, web_page: Any, pictures: Any) -> None:
    url = web_page(pictures(73))
    first, again, other = begin(url, key="k"), begin(url, key="k"), begin(url, key="k", title="Night")
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert first.json()["job_id"] == again.json()["job_id"] != begin(url).json()["job_id"]


def test_what_failed_is_told_and_can_be_tried_again(
    client: httpx.Client, begin: Any, ended: Any, web_page: Any, pictures: Any
) -> None:
    job_id = begin(web_page(b"no picture"), web_page(pictures(74))).json()["job_id"]
    assert ended(job_id)["failed"] == 1
    (reject,) = client.get(f"{JOBS}/{job_id}/quarantine").json()["items"]
    assert (reject["place"], reject["retriable"], bool(reject["reason"])) == ("row 1", True, True)
    assert client.post(f"{JOBS}/{job_id}/retry", params={"number": reject["number"]}).json() == {"retried": 1}
    assert ended(job_id)["failed"] == 1
    assert client.post(f"{JOBS}/{job_id}/retry", params={"number": reject["number"]}).json() == {"retried": 0}


def test_a_job_is_cancelled_for_good_and_listed(client: httpx.Client, begin: Any) -> None:
    job_id = begin("http://127.0.0.1:1/x.jpg").json()["job_id"]
    for wish, state in (("pause", "paused"), ("resume", ("queued", "running")), ("cancel", "cancelled")):
        assert client.post(f"{JOBS}/{job_id}/{wish}").json()["state"] in state
    assert client.post(f"{JOBS}/{job_id}/resume").status_code == 409
    page = client.get(JOBS, params={"state": "cancelled", "limit": 1}).json()
    assert page["jobs"][0]["job_id"] == job_id
    assert all(
        job["job_id"] != job_id for job in client.get(JOBS, params={"cursor": page["next_cursor"]}).json()["jobs"]
    )


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"items": []}, 400),
        ({"items": [{"artist_id": "a", "entry_id": "e", "url": "ftp://example.org/x"}]}, 400),
        ({"items": [{"artist_id": "a", "entry_id": " ", "url": "http://example.org/x"}]}, 400),
        ({"path": "works", "prefix": "s3://a/b/"}, 400),
        ({"path": "/etc"}, 403),
        ({"prefix": "s3://somebody/else/"}, 403),
        ({"prefix": "file:///etc/"}, 400),
    ],
)
def test_what_may_not_be_imported_is_refused(client: httpx.Client, body: Any, status: int) -> None:
    assert client.post(JOBS, json=body).status_code == status


@pytest.mark.parametrize("path", [f"{JOBS}/none", f"{JOBS}/none/quarantine"])
def test_a_job_that_is_not_there_is_404(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_folder_below_the_import_root_is_imported_and_told(
    own: Any, in_time: Any, pictures: Any, tmp_path: Path
) -> None:
    for seed in range(3):
        (tmp_path / "root/works/a").mkdir(parents=True, exist_ok=True)
        (tmp_path / f"root/works/a/{seed}.png").write_bytes(pictures(seed))
    served = own(import_root=str(tmp_path / "root"))
    with connect(f"ws://127.0.0.1:{served.port}/ws/index-progress", open_timeout=20) as socket:
        assert httpx.post(f"{served.url}{JOBS}", json={"path": "works"}).status_code == 201
        told = json.loads(socket.recv(timeout=20))
        while told["state"] != "done":
            told = json.loads(socket.recv(timeout=20))
    assert (told["stage"], told["done"], told["total"], told["job"]["imported"]) == ("import", 3, 3, 3)
    missing = httpx.post(f"{served.url}{JOBS}", json={"path": "missing"})
    assert (missing.status_code, str(tmp_path) in missing.text) == (400, False)
