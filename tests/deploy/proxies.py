"""A real nginx with the configuration of deploy/nginx, on a port and in a folder of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tests.conftest import free_port
from tests.service_fixtures import deploy_tool

CONFIG = Path(__file__).parents[2] / "deploy" / "nginx" / "arthur.conf"
MAIN = """
{user}
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    {temporary}
    include {folder}/arthur.conf;
}}
"""
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
WAIT_S = 30


@dataclass
class Proxy:
    """nginx in front of a server; `url` is its base address."""

    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def send(self, raw: bytes, timeout_s: float = WAIT_S) -> bytes:
        """Send raw bytes on a connection of their own and return all that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout_s) as connection:
            connection.sendall(raw)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
        return answer


def written(folder: Path, upstream: int, changes: Mapping[str, str]) -> tuple[Path, int]:
    """Write the configuration for a server's port; return the main file and the port that nginx listens on."""
    port = free_port()
    text = CONFIG.read_text()
    own = {"127.0.0.1:9000": f"127.0.0.1:{upstream}", "listen 80": f"listen 127.0.0.1:{port}"}
    for old, new in {**own, **changes}.items():
        assert old in text
        text = text.replace(old, new)
    (folder / "arthur.conf").write_text(text)
    temporary = " ".join(f"{name}_temp_path {folder}/{name};" for name in TEMPORARY)
    main = folder / "nginx.conf"
    # as root its workers would be another user, who may not enter the folder
    main.write_text(MAIN.format(folder=folder, temporary=temporary, user="user root;" if os.geteuid() == 0 else ""))
    return main, port


@contextmanager
def nginx(folder: Path, upstream: int, changes: Mapping[str, str] = MappingProxyType({})) -> Iterator[Proxy]:
    """Run nginx in front of the server on that port of the loopback."""
    folder.mkdir(exist_ok=True)
    main, port = written(folder, upstream, changes)
    program = str(deploy_tool("nginx"))
    process = subprocess.Popen([program, "-p", str(folder), "-c", str(main)], stderr=subprocess.DEVNULL)
    end = time.monotonic() + WAIT_S
    while not _answers(port):
        assert process.poll() is None, (folder / "error.log").read_text()
        assert time.monotonic() < end
        time.sleep(0.01)
    try:
        yield Proxy(port, folder / "error.log")
    finally:
        process.terminate()
        assert process.wait(WAIT_S) == 0


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
