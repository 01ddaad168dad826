"""A live server for the examples of the documents, with the shipped engine, and a folder with the files they name."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.web.conftest import web_page

__all__ = ["web_page"]  # the fixture


@pytest.fixture
def desk(tmp_path: Path, artworks: list[bytes]) -> Path:
    """A folder with pictures of three works under the names that the documents use."""
    folder = tmp_path / "desk"
    (folder / "photos").mkdir(parents=True)
    for name, picture in {"photo.jpg": 0, "night.jpg": 0, "closer.jpg": 4}.items():
        (folder / name).write_bytes(artworks[picture])
    for number in range(3):
        shutil.copy(folder / "photo.jpg", folder / "photos" / f"{number}.jpg")
    return folder


@pytest.fixture
def gallery(serve: Callable[..., Any], tmp_path: Path, artworks: list[bytes]) -> Iterator[str]:
    """The address of a server that knows one work, so that nothing an example asks for is missing."""
    server = serve(tmp_path / "data", fetch_allow='["127.0.0.0/8"]')
    with httpx.Client(base_url=server.url, timeout=60, verify=False) as client:
        path = "/api/v1/artists/vangogh/entries/starry_night/views/main"
        assert client.put(path, content=artworks[0], headers={"content-type": "image/jpeg"}).status_code == 201
    yield server.url
    assert server.stop() == 0
