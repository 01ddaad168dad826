"""kill -9 of the supervisor and all workers in the middle of writes: what was acknowledged is found afterwards."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

# five starts of servers, on a busy machine
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

WORKS = 8


def enroll(url: str, name: str, picture: bytes) -> bool:
    """Return whether the server acknowledged the view `a/NAME/main`."""
    try:
        answer = httpx.post(
            f"{url}/artist/image/a/{name}/main", files={"imgFile": ("p.jpg", picture)}, timeout=60, verify=False
        )
    except httpx.TransportError:
        return False
    return answer.status_code == 200


def matched(url: str, picture: bytes) -> str:
    """Return the name of the best match."""
    answer = httpx.post(f"{url}/match", files={"imgFile": ("p.jpg", picture)}, timeout=60, verify=False)
    return str(answer.json()["matches"][0]["entryId"])


def test_acknowledged_views_survive_kill_nine(
    serve: Callable[..., object], tmp_path: Path, artworks: list[bytes]
) -> None:
    chance = random.Random(1)
    acknowledged: list[int] = []
    for turn in range(3):
        server = serve(tmp_path / "data")
        enough = len(acknowledged) + chance.randrange(6, 15)
        for number in range(turn * 100, turn * 100 + 100):
            if enroll(server.url, f"work-{number}", artworks[number % len(artworks)]):
                acknowledged.append(number)
                if len(acknowledged) == enough:
                    threading.Timer(chance.uniform(0.0, 0.1), server.kill).start()
            elif server.process.poll() is not None:
                break
        server.process.wait()
    last = serve(tmp_path / "data")

    missing = [
        n
        for n in acknowledged
        if httpx.get(f"{last.url}/api/v1/artists/a/entries/work-{n}/views/main", verify=False).status_code != 200
    ]

    assert len(acknowledged) >= 3 * 6
    assert missing == []


def test_a_killed_server_is_ready_again_soon_and_matches(
    serve: Callable[..., object], tmp_path: Path, artworks: list[bytes]
) -> None:
    server = serve(tmp_path / "data", workers=2)
    assert all(enroll(server.url, f"work-{n}", artworks[n]) for n in range(WORKS))
    server.kill()
    again = serve(tmp_path / "data", workers=2)
    assert httpx.get(f"{again.url}/api/v1/status", verify=False).json()["index"]["views"] == WORKS

    assert [matched(again.url, artworks[n]) for n in range(WORKS)] == [f"work-{n}" for n in range(WORKS)]
