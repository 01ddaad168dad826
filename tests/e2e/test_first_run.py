"""The product's main job over HTTP, on a real server with the shipped engine."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from PIL import Image

from bench.distort import distort

pytestmark = pytest.mark.slow


def test_distorted_copies_are_recognised(serve: Callable[..., object], tmp_path: Path, artworks: list[bytes]) -> None:
    server = serve(tmp_path / "data", workers=2)
    with httpx.Client(base_url=server.url, timeout=20, verify=False) as client:
        for number, picture in enumerate(artworks):
            done = client.post(f"/artist/image/a{number // 4}/w{number}/main", files={"imgFile": ("p.jpg", picture)})
            assert done.json() == {
                "status": "success",
                "message": f"Added image a{number // 4}/w{number}/main to index",
            }
        right = 0
        for number, picture in enumerate(artworks):
            copy = distort(Image.open(io.BytesIO(picture)), number)
            answer = client.post("/match", files={"imgFile": ("photo.JPG", copy)}).json()
            right += answer["matches"][0]["entryId"] == f"w{number}"

    assert right >= 0.95 * len(artworks)
    assert server.stop() == 0
