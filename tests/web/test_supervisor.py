"""The supervisor: respawn, drain, a taken port, and its own violent death."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from arthur.config import load_settings
from arthur.errors import ConfigError
from arthur.web.serve import tls_wanted
from tests.ports import free_port

KINDS = ["robyn", "granian"]
SERVE = Path(__file__).with_name("fake_serve.py")


def run_to_end(settings: dict[str, Any], timeout_s: float = 60) -> Any:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(SERVE.parent), *sys.path])}
    command = [sys.executable, str(SERVE), json.dumps(settings)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False)


def test_a_killed_worker_is_started_anew_while_the_other_serves(
    own: Callable[..., Any], in_time: Callable[..., Any]
) -> None:
    served = own(workers=2)
    first, second = served.workers()
    os.kill(first, signal.SIGKILL)
    assert in_time(lambda: first not in served.workers() and len(served.workers()) == 2, 2.0)
    assert served.answers()
    assert second in served.workers()


@pytest.mark.parametrize("kind", KINDS)
def test_sigterm_lets_a_request_in_flight_end_and_exits_with_0(
    own: Callable[..., Any], pictures: Callable[..., bytes], in_time: Callable[..., Any], kind: str
) -> None:
    served = own(engine="slow:1.5", server=kind)
    view = f"{served.url}/api/v1/artists/a/entries/e/views/v"
    headers = {"content-type": "image/png"}
    with ThreadPoolExecutor(1) as pool:
        put = pool.submit(httpx.put, view, content=pictures(1, dark=True), headers=headers, timeout=30)
        assert in_time(
            lambda: "arthur_admitted_requests 1.0" in httpx.get(served.url + "/metrics", verify=False).text, 5
        )
        assert served.stop() == 0
        assert put.result().status_code == 201


@pytest.mark.parametrize("kind", KINDS)
def test_a_write_whose_caller_left_ends_before_the_server_does(
    own: Callable[..., Any], pictures: Callable[..., bytes], in_time: Callable[..., Any], kind: str
) -> None:
    served = own(engine="slow:1", server=kind)
    view, headers = "/api/v1/artists/a/entries/e/views/v", {"content-type": "image/png"}
    with pytest.raises(httpx.ReadTimeout):
        httpx.put(served.url + view, content=pictures(1, dark=True), headers=headers, timeout=0.3)
    assert served.stop() == 0
    assert "Traceback" not in served.log.read_text()
    assert httpx.get(own(data=str(served.log.parent / "data")).url + view).status_code == 200


@pytest.mark.parametrize("kind", KINDS)
def test_no_answered_write_is_lost_when_stopping(
    own: Callable[..., Any], pictures: Callable[..., bytes], kind: str
) -> None:
    served = own(workers=2, server=kind)
    written, headers = [], {"content-type": "image/png"}

    def put(number: int) -> None:
        path = f"/api/v1/artists/a/entries/{number}/views/v"
        try:
            answer = httpx.put(served.url + path, content=pictures(number), headers=headers, timeout=30, verify=False)
        except httpx.TransportError:
            return
        if answer.status_code == 201:
            written.append(path)

    with ThreadPoolExecutor(4) as pool:
        pending = [pool.submit(put, number) for number in range(60)]
        while len(written) < 10:
            time.sleep(0.01)
        assert served.stop() == 0
        [one.result() for one in pending]
    again = own(data=str(served.log.parent / "data"))
    with httpx.Client(base_url=again.url, verify=False) as client:
        assert {client.get(path).status_code for path in written} == {200}


@pytest.mark.parametrize("kind", KINDS)
def test_the_drain_is_bounded(
    own: Callable[..., Any], pictures: Callable[..., bytes], in_time: Callable[..., Any], kind: str
) -> None:
    served = own(engine="slow:30", drain_s=0.5, server=kind)
    with ThreadPoolExecutor(1) as pool:
        asked = {"content": pictures(1, dark=True), "headers": {"content-type": "image/png"}}
        pending = pool.submit(httpx.post, served.url + "/api/v1/match", timeout=40, **asked)
        assert in_time(
            lambda: "arthur_admitted_requests 1.0" in httpx.get(served.url + "/metrics", verify=False).text, 5
        )
        before = time.monotonic()
        assert served.stop() == 0
        assert time.monotonic() - before < 10
        assert pending.exception() is not None


def test_a_killed_supervisor_leaves_nobody_on_the_port(own: Callable[..., Any], in_time: Callable[..., Any]) -> None:
    served = own(workers=2)
    workers = served.workers()
    served.process.kill()
    served.process.wait()
    assert in_time(lambda: not any(psutil.pid_exists(pid) for pid in workers), 10)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", served.port))


def test_a_taken_port_is_told_at_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run_to_end({"data": str(tmp_path), "port": port})
    assert ended.returncode == 2
    assert ended.stderr == f"cannot listen on 127.0.0.1:{port}: Address already in use; choose another --port\n"


def test_a_second_server_on_the_port_is_refused(own: Callable[..., Any], tmp_path: Path) -> None:
    served = own()
    assert run_to_end({"data": str(tmp_path / "other"), "port": served.port}).returncode == 2
    assert served.answers()


def test_a_setting_that_a_worker_refuses_ends_all_with_one_line(tmp_path: Path) -> None:
    ended = run_to_end({"data": str(tmp_path), "port": free_port(), "workers": 2, "engine": "broken"})
    assert (ended.returncode, ended.stderr) == (2, "engine 'broken' is not installed\n")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Settings with a certificate of localhost that signs itself."""
    folder = tmp_path_factory.mktemp("tls")
    made = ["-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "2"]
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(["openssl", "req", *made, *subject], cwd=folder, check=True, capture_output=True)
    return {"tls_cert": str(folder / "cert.pem"), "tls_key": str(folder / "key.pem")}


def test_with_a_certificate_the_server_speaks_tls_alone(own: Callable[..., Any], certificate: dict[str, str]) -> None:
    served = own(server="granian", **certificate)
    trusted = ssl.create_default_context(cafile=certificate["tls_cert"])
    assert httpx.get(f"https://localhost:{served.port}/healthz", verify=trusted).status_code == 200
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://localhost:{served.port}/healthz", verify=False)


@pytest.mark.parametrize("wrong", [{"server": "robyn"}, {"tls_key": None}, {"tls_key": "/dev/null"}, {"tls_cert": "/"}])
def test_tls_that_cannot_be_is_refused(certificate: dict[str, str], wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="TLS"):
        tls_wanted(load_settings(**({"server": "granian"} | certificate | wrong)))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_both_signals_stop_cleanly(own: Callable[..., Any], number: int) -> None:
    served = own()
    served.process.send_signal(number)
    assert served.process.wait(20) == 0


def test_workers_that_cannot_start_end_all_after_a_few_tries(tmp_path: Path) -> None:
    ended = run_to_end({"data": str(tmp_path), "port": free_port(), "workers": 1, "engine": "bug"}, 90)
    assert (ended.returncode, ended.stderr.splitlines()[-1]) == (
        2,
        "the workers die while they start; the log says why",
    )
