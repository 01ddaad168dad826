"""API keys on a real server with the shipped engine, the local index included."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def restricted(
    serve: Callable[..., object], tmp_path: Path, artworks: list[bytes]
) -> Iterator[tuple[httpx.Client, str]]:
    """A client whose key sees the first and the third of four enrolled works, and the server's URL."""
    server = serve(tmp_path / "data")
    for number, picture in enumerate(artworks[:4]):
        path = f"/artist/image/artist-{number % 2}/{number}/main"
        assert (
            httpx.post(server.url + path, files={"imgFile": ("p.jpg", picture)}, timeout=60, verify=False).status_code
            == 200
        )
    create = [sys.executable, "-m", "arthur", "keys", "create", "app", "--artist", "artist-0"]
    made = subprocess.run([*create, "--data", str(tmp_path / "data")], check=True, capture_output=True, text=True)
    end = time.monotonic() + 30
    while (
        httpx.get(server.url + "/api/v1/artists", timeout=60, verify=False).status_code != 401
        and time.monotonic() < end
    ):
        time.sleep(0.1)
    with httpx.Client(
        base_url=server.url, timeout=60, headers={"x-api-key": made.stdout.strip()}, verify=False
    ) as client:
        yield client, server.url


def test_a_restricted_key_recognizes_only_its_own_artists(
    restricted: tuple[httpx.Client, str], artworks: list[bytes]
) -> None:
    client, url = restricted
    found = [
        client.post("/api/v1/match", params={"verify": "always"}, files={"image": ("p.jpg", picture)}).json()
        for picture in artworks[:4]
    ]
    assert [answer["decision"] == "match" for answer in found] == [True, False, True, False]
    assert {match["artist_id"] for answer in found for match in answer["matches"]} == {"artist-0"}
    assert (
        httpx.post(url + "/match", files={"imgFile": ("p.jpg", artworks[0])}, timeout=60, verify=False).status_code
        == 401
    )
