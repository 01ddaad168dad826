"""A server on PostgreSQL, pgvector and Valkey: each may be killed, nothing acknowledged is lost, and it recovers."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.private_servers import PrivateServer, postgres_url

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.service("pgvector", "valkey")]

WORKS = 6


@pytest.fixture
def cache_server(own_valkey: Callable[..., PrivateServer]) -> PrivateServer:
    return own_valkey()


@pytest.fixture
def url(serve: Callable[..., Any], tmp_path: Path, own_postgres: PrivateServer, cache_server: PrivateServer) -> str:
    database = postgres_url(own_postgres)
    stores = {"catalog": database, "index": f"pgvector:{database}", "cache": f"valkey://127.0.0.1:{cache_server.port}"}
    # what waits for its turn while the machine is busy would be refused
    return serve(tmp_path / "data", workers=2, admitted=64, ready_s=120, **stores).url


def enroll(url: str, number: int, picture: bytes) -> int:
    path = f"{url}/api/v1/artists/a/entries/work-{number}/views/main"
    return httpx.put(path, files={"image": ("p.jpg", picture)}, timeout=60, verify=False).status_code


def matched(url: str, picture: bytes) -> str | int:
    """The entry of the best match, or the status of a failure. A connection of its own may reach any worker."""
    answer = httpx.post(
        f"{url}/api/v1/match", content=picture, headers={"content-type": "image/jpeg"}, timeout=60, verify=False
    )
    return str(answer.json()["matches"][0]["entry_id"]) if answer.status_code == 200 else answer.status_code


def wait_ready(url: str) -> None:
    end = time.monotonic() + 60
    while httpx.get(f"{url}/readyz", timeout=60, verify=False).status_code != 200:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_every_store_may_die_and_come_back(
    url: str, artworks: list[bytes], own_postgres: PrivateServer, cache_server: PrivateServer
) -> None:
    names = [f"work-{number}" for number in range(WORKS)]
    assert [enroll(url, number, artworks[number]) for number in range(WORKS)] == [201] * WORKS
    assert [matched(url, artworks[number]) for number in range(WORKS)] == names
    own_postgres.kill()
    assert (matched(url, artworks[0]), httpx.get(f"{url}/healthz", verify=False).status_code) == (503, 200)
    own_postgres.start()
    wait_ready(url)
    assert [matched(url, artworks[number]) for number in range(WORKS)] == names
    cache_server.kill()
    assert enroll(url, WORKS, artworks[WORKS]) == 201
    assert [matched(url, artworks[number]) for number in range(WORKS + 1)] == [*names, f"work-{WORKS}"]
