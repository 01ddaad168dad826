"""Claims of the cache in Valkey beyond the contract."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import valkey

from arthur.cache import Cache, open_cache
from arthur.cache.valkey import ValkeyCache
from tests.ports import free_port
from tests.private_servers import PrivateServer

pytestmark = pytest.mark.service("valkey")

Start = Callable[..., PrivateServer]


@pytest.fixture
def url(valkey_server: PrivateServer) -> str:
    with valkey.Valkey(port=valkey_server.port) as client:
        client.flushall()
    return f"valkey://127.0.0.1:{valkey_server.port}/0?front_mb=0"


@pytest.fixture
def caches(url: str) -> Iterator[list[Cache]]:
    """Two caches of two processes, as it were."""
    opened = [open_cache(url) for _ in range(2)]
    yield opened
    for cache in opened:
        cache.close()


def test_what_one_process_puts_another_fetches(caches: list[Cache]) -> None:
    caches[0].put(b"\x00}{\xff", b"\x00value", 60)
    assert caches[1].fetch(b"\x00}{\xff") == b"\x00value"


def test_a_value_expires(caches: list[Cache], valkey_server: PrivateServer) -> None:
    caches[0].put(b"key", b"value", 60)
    with valkey.Valkey(port=valkey_server.port) as client:
        assert 59_000 < client.pttl(b"arthur:{key}") <= 60_000


def test_of_many_processes_one_makes_the_value(url: str) -> None:
    made, together = [], threading.Barrier(6)

    def process(_: int) -> bytes | None:
        cache = open_cache(url)
        together.wait()
        found = cache.reserve(b"wanted", 20)
        if found is None:
            made.append(1)
            threading.Event().wait(0.1)
            cache.put(b"wanted", b"value", 60)
        cache.close()
        return found or b"value"

    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(process, range(6))) == [b"value"] * 6
    assert made == [1]


def test_a_reservation_of_a_dead_process_is_void_after_a_while(caches: list[Cache]) -> None:
    assert caches[0].reserve(b"orphan", 0) is None
    assert caches[1].reserve(b"orphan", 20) is None


def test_a_value_beyond_its_bound_is_not_kept(caches: list[Cache]) -> None:
    caches[0].put(b"key", b"old", 60)
    caches[0].put(b"key", bytes(5 * 2**20), 60)
    assert caches[1].fetch(b"key") is None


def test_what_was_fetched_is_kept_in_front(url: str, caches: list[Cache]) -> None:
    layered = open_cache(url.removesuffix("?front_mb=0"))
    caches[0].put(b"key", b"value", 60)
    assert [layered.fetch(b"key") for _ in range(3)] == [b"value"] * 3
    assert (layered.stats()["hits"], layered.stats()["front_hits"]) == (1, 2)
    layered.close()


def test_a_cluster_keeps_values_and_reservations(own_valkey: Start) -> None:
    server = own_valkey("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    with valkey.Valkey(port=server.port) as node:
        node.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        while b"cluster_state:ok" not in node.execute_command("CLUSTER", "INFO", NEVER_DECODE=True):
            threading.Event().wait(0.02)
    cache = open_cache(f"valkey-cluster://127.0.0.1:{server.port}?front_mb=0")
    keys = [b"key %d" % number for number in range(20)]
    assert [cache.reserve(key, 0.1) for key in keys] == [None] * 20
    for key in keys:
        cache.put(key, key, 60)
    assert [cache.fetch(key) for key in keys] == keys
    assert "faults" not in cache.stats()
    cache.close()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A folder with a key and a certificate of localhost that signs itself."""
    tmp_path.chmod(0o755)
    made = ["-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "2"]
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(["openssl", "req", *made, *subject], cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


def test_tls_is_spoken_and_certificates_are_checked(own_valkey: Start, certificate: Path) -> None:
    server, port = own_valkey(), free_port()
    folder = server.folder
    for name in ("key.pem", "cert.pem"):
        (folder / name).write_bytes((certificate / name).read_bytes())
        (folder / name).chmod(0o644)
    with valkey.Valkey(port=server.port) as client:
        files = {"tls-cert-file": "cert.pem", "tls-key-file": "key.pem", "tls-ca-cert-file": "cert.pem"}
        paths = [part for name, file in files.items() for part in (name, str(folder / file))]
        client.execute_command("CONFIG", "SET", *paths, "tls-auth-clients", "no", "tls-port", port)
    trusting = ValkeyCache(f"valkeys://localhost:{port}?ssl_ca_certs={folder}/cert.pem")
    distrusting = ValkeyCache(f"valkeys://localhost:{port}")
    for cache in (trusting, distrusting):
        cache.put(b"key", b"value", 60)
    assert (trusting.fetch(b"key"), distrusting.fetch(b"key")) == (b"value", None)
    trusting.close()
    distrusting.close()
