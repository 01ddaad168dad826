"""Claims of the systemd units: systemd takes them, and what they start serves and drains."""

from __future__ import annotations

import configparser
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.conftest import free_port
from tests.service_fixtures import deploy_tool

UNITS = sorted((Path(__file__).parents[2] / "deploy" / "systemd").glob("*.service"))
PROGRAM = "/opt/arthur/bin/arthur"


def service(unit: Path) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(unit)
    return parser["Service"]


@pytest.mark.service("systemd-analyze")
@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_systemd_finds_nothing_wrong(unit: Path, tmp_path: Path) -> None:
    copy = tmp_path / unit.name
    copy.write_text(unit.read_text().replace(PROGRAM, str(shutil.which("true"))))
    command = [str(deploy_tool("systemd-analyze")), "verify", "--man=no", str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert (done.returncode, unit.name in done.stderr) == (0, False), done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("unit", "port"), [("arthur", "ARTHUR_PORT"), ("arthur-embedder", "ARTHUR_EMBEDDER_LISTEN")])
def test_what_a_unit_starts_serves_and_drains(unit: str, port: str, tmp_path: Path) -> None:
    told = service(next(path for path in UNITS if path.stem == unit))
    program, *arguments = shlex.split(told["ExecStart"])
    free = free_port()
    listen = str(free) if port == "ARTHUR_PORT" else f"http://127.0.0.1:{free}"
    environment = os.environ | {"ARTHUR_DATA": str(tmp_path), port: listen}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "arthur", *arguments], env=environment, stdout=log, stderr=log
        )
    end = time.monotonic() + 100
    while not _ready(free) and time.monotonic() < end:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(getattr(signal, told["KillSignal"]))
    assert (program, process.wait(int(told["TimeoutStopSec"]))) == (PROGRAM, 0)


def _ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=10).status_code == 200
    except httpx.TransportError:
        return False
