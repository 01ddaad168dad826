"""One real server for all that stands before it or looks at it, after some traffic."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from prometheus_client import generate_latest

from arthur.encode.calls import BatchStats
from arthur.web.embedding_metrics import EmbedderMetrics
from arthur.web.standing import Standing
from tests.conftest import Server, servers

JPEG = {"content-type": "image/jpeg"}


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory, artworks: list[bytes]) -> Iterator[Server]:
    """A server of two processes that knows two works and was asked for one of them and for an unknown one."""
    folder = tmp_path_factory.mktemp("live")
    with servers(folder) as start:
        server = start(folder / "data", workers=2, ready_s=120, trusted_proxies='["127.0.0.0/8"]')
        with httpx.Client(base_url=server.url, timeout=120, headers=JPEG) as client:
            for work in range(2):
                path = f"/api/v1/artists/vangogh/entries/{work}/views/main"
                assert client.put(path, content=artworks[work]).status_code == 201
            for picture in (*artworks[1:3], b"no picture"):
                client.post("/api/v1/match", content=picture)
        yield server
        assert server.stop() == 0


@pytest.fixture(scope="session")
def served(live: Server) -> str:
    """All numbers there are: those of the server, of an embedding service, and of a server that has such services."""
    own = httpx.get(f"{live.url}/metrics", timeout=60).text
    spec: Any = SimpleNamespace(label="a@b", passport=None, passport_id="")
    embedder = EmbedderMetrics(spec, BatchStats)
    embedder.answered("/v1/embed", 200, 0.01, request_id="id")
    embedder.answered("/v1/embed", 429, 0.01, request_id="id")
    fleet = Standing("1", lambda: {"engine": "a@b"}, lambda: {"http://gpu:9100": "ok"})
    return own + embedder.exposition()[0].decode() + generate_latest(fleet).decode()
