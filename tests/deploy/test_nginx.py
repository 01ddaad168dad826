"""What holds of a server holds through a real nginx with our configuration: version 1, hostile requests, faults."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from tests.conftest import Server
from tests.deploy.proxies import Proxy, nginx, written
from tests.service_fixtures import deploy_tool
from tests.web.conftest import Served, artist, eventually, own, pictures, start, web_page
from tests.web.test_hostile import (
    test_30_megabytes_are_413,
    test_a_body_shorter_than_declared_is_never_taken_for_whole,
    test_a_client_that_leaves_at_once_harms_nobody,
    test_a_compressed_body_is_400,
    test_a_slow_client_keeps_nobody_waiting,
    test_deep_json_is_400,
    test_malformed_multipart_is_told_on_a_connection_that_lives_on,
)
from tests.web.test_legacy import *  # noqa: F403  # each claim about version 1, once more

__all__ = [
    "artist",
    "own",
    "pictures",
    "test_30_megabytes_are_413",
    "test_a_body_shorter_than_declared_is_never_taken_for_whole",
    "test_a_client_that_leaves_at_once_harms_nobody",
    "test_a_compressed_body_is_400",
    "test_a_slow_client_keeps_nobody_waiting",
    "test_deep_json_is_400",
    "test_malformed_multipart_is_told_on_a_connection_that_lives_on",
    "web_page",
]

pytestmark = pytest.mark.service("nginx")

MATCH = "/api/v1/match"
PNG = {"content-type": "image/png"}


class Behind(Proxy):
    """A proxy that can be asked whether all is well behind it."""

    def answers(self) -> bool:
        return httpx.get(f"{self.url}/healthz", timeout=30).status_code == 200


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Real processes over a fake engine, with the limits that the hostile set expects."""
    served = start(
        tmp_path_factory.mktemp("upstream"),
        workers=2,
        fetch_allow=["127.0.0.0/8"],
        max_image_bytes=2_000_000,
        cors_origins=["https://page.example"],
    )
    yield served
    assert served.stop() == 0
    served.process.stdout.close()  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def server(upstream: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    """nginx, where the claims look for a server. It waits for slow clients one second rather than ten."""
    patience = {"client_body_timeout 10s": "client_body_timeout 1s"}
    with nginx(tmp_path_factory.mktemp("nginx"), upstream.port, patience) as proxy:
        yield Behind(proxy.port, proxy.log)


@pytest.fixture
def client(server: Behind) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60) as opened:
        yield opened


def test_the_configuration_is_sound(tmp_path: Path) -> None:
    main, _ = written(tmp_path, 9000, {})
    command = [str(deploy_tool("nginx")), "-t", "-p", str(tmp_path), "-c", str(main)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, "warn" in done.stderr) == (0, False), done.stderr


def test_a_picture_without_a_length_is_taken_since_nginx_knows_it(
    client: httpx.Client, pictures: Callable[..., bytes]
) -> None:
    assert client.post(MATCH, content=iter([pictures(1)]), headers=PNG).status_code == 200


def test_chunked_garbage_costs_no_worker(server: Behind, upstream: Served) -> None:
    before = set(upstream.workers())
    answer = server.send(f"POST {MATCH} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n".encode())
    assert b" 400 " in answer[:20]
    assert json.loads(answer.partition(b"\r\n\r\n")[2]) == {"detail": "bad request"}
    assert set(upstream.workers()) == before


@pytest.mark.parametrize(
    "target", ["/api/v1/artists/%FF", "/match/%ff", "/status?a=%ff", "//", "/%", "/" + "a/" * 20_000]
)
def test_an_odd_target_gets_an_answer(server: Behind, target: str) -> None:
    answer = server.send(f"GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    assert answer.split(b" ")[1] in (b"400", b"404", b"405", b"414", b"200")


def test_a_body_that_stops_arriving_never_reaches_the_server(server: Behind, upstream: Served) -> None:
    counted = 'arthur_requests_total{method="POST",route="/api/v1/match/never"'
    head = b"POST /api/v1/match/never HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nab"
    with socket.create_connection(("127.0.0.1", server.port), 30) as slow:
        slow.sendall(head)
        assert slow.recv(65536).startswith((b"HTTP/1.1 408", b""))
    assert counted not in httpx.get(f"http://127.0.0.1:{upstream.port}/metrics", timeout=30).text


def test_a_body_beyond_every_limit_is_refused_before_it_is_sent(server: Behind) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 30) as connection:
        connection.sendall(b"POST /match HTTP/1.1\r\nHost: a\r\nContent-Length: 99000000\r\n\r\n")
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2]) == {"detail": "larger than this server takes"}


def test_answers_carry_the_id_that_nginx_gave(client: httpx.Client) -> None:
    answer = client.get("/healthz", headers={"x-request-id": "mine"})
    assert len(answer.headers["x-request-id"]) == 32


def test_progress_comes_through_the_websocket(server: Behind) -> None:
    with connect(f"ws://127.0.0.1:{server.port}/ws/index-progress", open_timeout=60) as progress:
        assert json.loads(progress.recv(60))["state"] in ("idle", "done")


def test_a_websocket_elsewhere_is_answered_as_a_request(server: Behind) -> None:
    asked = "Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAA\r\n"
    with socket.create_connection(("127.0.0.1", server.port), 30) as connection:
        connection.sendall(f"GET /healthz HTTP/1.1\r\nHost: a\r\n{asked}\r\n".encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "/api/v1/metrics"])
def test_numbers_are_not_for_the_public(upstream: Served, tmp_path: Path, path: str) -> None:
    with nginx(tmp_path / "nginx", upstream.port, {"allow 127.0.0.0/8": "allow 127.9.9.9"}) as proxy:
        assert httpx.get(proxy.url + path, timeout=60).status_code == 403
        assert httpx.get(f"{proxy.url}/healthz", timeout=60).status_code == 200


def test_the_server_learns_whom_nginx_speaks_for(own: Callable[..., Served], tmp_path: Path) -> None:
    served = own(trusted_proxies=["127.0.0.0/8"], address_rate="1/h")
    with nginx(tmp_path / "nginx", served.port) as proxy:
        told = [httpx.get(f"{proxy.url}/status", timeout=60, headers={"x-forwarded-for": f"9.9.9.{n}"}) for n in (1, 2)]
    assert [one.status_code for one in told] == [200, 429]


def test_a_dead_server_is_told_as_json_and_found_again(
    tmp_path: Path, own: Callable[..., Served], pictures: Callable[..., bytes]
) -> None:
    served = own()
    with nginx(tmp_path / "nginx", served.port) as proxy, httpx.Client(base_url=proxy.url, timeout=60) as client:
        assert client.get("/healthz").status_code == 200
        assert served.stop() == 0
        dead = client.post("/match", files={"imgFile": ("a.png", pictures(1))})
        assert (dead.status_code, dead.json()) == (503, {"detail": "the service does not answer"})
        own(port=served.port)
        assert eventually(lambda: client.get("/healthz").status_code == 200)


def test_scripts_of_version_1_run_unchanged_before_a_real_server(
    live: Server, tmp_path: Path, artworks: list[bytes]
) -> None:
    (tmp_path / "photo.jpg").write_bytes(artworks[0])
    port = httpx.URL(live.url).port

    def curl(*words: str) -> Any:
        done = subprocess.run(["curl", "-sS", *words], cwd=tmp_path, capture_output=True, text=True, timeout=100)
        return json.loads(done.stdout)

    with nginx(tmp_path / "nginx", port) as proxy:
        enrolled = curl("-F", "imgFile=@photo.jpg", f"{proxy.url}/artist/image/v1/entry/main")
        matched = curl("-F", "imgFile=@photo.jpg", f"{proxy.url}/match/v1/")
    assert httpx.delete(f"{live.url}/api/v1/artists/v1", timeout=60).json()["removed"] == 1
    assert enrolled == {"status": "success", "message": "Added image v1/entry/main to index"}
    assert [row["entryId"] for row in matched["matches"]] == ["entry"]
