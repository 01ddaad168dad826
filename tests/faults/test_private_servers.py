"""Servers of tests end with the tests, however those end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

STARTER = """
from tests.private_servers import private_{name}
server = private_{name}()
print(server.folder, *(process.pid for process in server._processes()), flush=True)
input()
"""


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("postgres", marks=pytest.mark.service("postgresql")),
        pytest.param("valkey", marks=pytest.mark.service("valkey")),
    ],
)
def test_a_server_and_its_folder_go_when_the_tests_are_killed(name: str, ending: signal.Signals) -> None:
    command = [sys.executable, "-c", STARTER.format(name=name)]
    pipe = subprocess.PIPE
    starter = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, start_new_session=True)
    assert starter.stdout is not None
    folder, *pids = starter.stdout.readline().split()
    assert Path(folder).is_dir()
    os.killpg(starter.pid, ending)
    starter.communicate()
    end = time.monotonic() + 60
    while Path(folder).exists() or any(psutil.pid_exists(int(pid)) for pid in pids):
        assert time.monotonic() < end
        time.sleep(0.02)


ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("processes", ["0", "1"])
@pytest.mark.parametrize(("required", "status"), [({}, 5), ({"ARTHUR_REQUIRE_SERVICES": "1"}, 4)])
def test_what_cannot_run_is_told_and_refused_where_it_must(
    required: dict[str, str], status: int, processes: str
) -> None:
    nowhere = {"PATH": "/nonexistent", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    words = ["-p", "no:cacheprovider", "--numprocesses", processes, "tests/cache/test_valkey.py"]
    command = [sys.executable, "-m", "pytest", *words]
    told = subprocess.run(command, cwd=ROOT, env=nowhere | required, capture_output=True, text=True, check=False)
    assert told.returncode == status
    assert "tests need valkey" in told.stdout + told.stderr
