"""Embedding services that are killed and stopped in the middle of work, as processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest

from arthur.encode.remote import RemoteEncoder
from tests.embedding_service import wait_until

pytestmark = pytest.mark.slow

SQUARES = np.random.default_rng(5).integers(1, 256, (40, 16, 16, 3), dtype=np.uint8)


@dataclass
class Embedder:
    """A running `arthur embedder serve`."""

    process: subprocess.Popen[bytes]
    path: Path

    @property
    def url(self) -> str:
        return f"unix:{self.path}"

    @property
    def worker(self) -> int:
        return psutil.Process(self.process.pid).children()[0].pid

    def kill(self) -> None:
        """kill -9 the supervisor and its process."""
        worker = self.worker
        self.process.kill()
        os.kill(worker, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def embed(tiny_engine: Path) -> Iterator[Callable[..., Embedder]]:
    """Start embedding services: `embed()`, or `embed(path)` at a path that another one had; all are ended."""
    running: list[Embedder] = []
    with tempfile.TemporaryDirectory(prefix="emb") as folder:

        def start(path: Path | None = None) -> Embedder:
            listen = path or Path(folder) / str(len(running))
            command = [sys.executable, "-m", "arthur", "embedder", "serve", "--listen", f"unix:{listen}"]
            process = subprocess.Popen(
                [*command, "--engine", str(tiny_engine), "--data", folder], stdout=subprocess.PIPE
            )
            running.append(Embedder(process, listen))
            assert process.stdout is not None
            assert process.stdout.readline() == f"listening on unix:{listen}\n".encode()
            return running[-1]

        yield start
        for one in running:
            one.process.terminate()
        for one in running:
            one.process.wait(60)
            assert one.process.stdout is not None
            one.process.stdout.close()


def test_with_two_services_the_death_of_one_costs_no_call(embed: Callable[..., Embedder]) -> None:
    first, second = embed(), embed()
    encoder = RemoteEncoder(f"{first.url},{second.url}")
    expected = encoder.encode(SQUARES)
    killing = threading.Timer(0.1, first.kill)
    killing.start()
    with ThreadPoolExecutor(8) as pool:
        rows = list(pool.map(lambda n: encoder.encode(SQUARES[n % 40][None])[0], range(2000)))
    killing.join()
    encoder.close()
    np.testing.assert_allclose(np.stack(rows), np.tile(expected, (50, 1)), atol=1e-3)


def test_a_server_answers_503_while_its_only_service_is_dead_and_recovers_by_itself(
    embed: Callable[..., Embedder], serve: Callable[..., object], tmp_path: Path, artworks: list[bytes]
) -> None:
    embedder = embed()
    server = serve(tmp_path / "data", engine=embedder.url, local="none:")
    died_at = time.monotonic()
    os.kill(embedder.worker, signal.SIGKILL)
    statuses = [httpx.get(f"{server.url}/readyz", timeout=30, verify=False).status_code]
    for number in range(2000):
        headers = {"content-type": "image/jpeg"}
        picture = artworks[number % 40] + number.to_bytes(4, "big")
        answer = httpx.post(f"{server.url}/api/v1/match", content=picture, headers=headers, timeout=30, verify=False)
        statuses.append(answer.status_code)
        if answer.status_code == 200:
            break
        assert answer.json()["type"] == "/problems/engine_unavailable"
    assert set(statuses) == {200, 503}
    assert time.monotonic() - died_at < 60  # about 2 s on an idle machine


def test_a_service_that_was_killed_with_its_supervisor_starts_again_at_the_same_path(
    embed: Callable[..., Embedder],
) -> None:
    first = embed()
    encoder = RemoteEncoder(first.url)
    expected = encoder.encode(SQUARES[:1])
    first.kill()
    embed(first.path)
    wait_until(lambda: not encoder.services()[first.url])
    np.testing.assert_allclose(encoder.encode(SQUARES[:1]), expected, atol=1e-6)
    encoder.close()


def test_sigterm_ends_it_with_status_0_and_removes_the_socket(embed: Callable[..., Embedder]) -> None:
    embedder = embed()
    embedder.process.send_signal(signal.SIGTERM)
    assert embedder.process.wait(60) == 0
    assert not embedder.path.exists()


def test_the_process_ends_when_its_supervisor_dies(embed: Callable[..., Embedder]) -> None:
    embedder = embed()
    worker = psutil.Process(embedder.worker)
    embedder.process.kill()
    assert worker.wait(60) is None or not worker.is_running()


def test_a_second_service_at_the_address_is_refused_and_the_first_lives(embed: Callable[..., Embedder]) -> None:
    embedder = embed()
    command = [sys.executable, "-m", "arthur", "embedder", "serve", "--listen", embedder.url]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (
        2,
        f"arthur: cannot listen on {embedder.url}: something is there already\n",
    )
    encoder = RemoteEncoder(embedder.url)
    assert encoder.encode(SQUARES).shape == (40, 8)
    encoder.close()
