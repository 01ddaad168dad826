"""Servers of tests end with the tests, however those end."""

from __future__ import annotations

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
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("postgres", marks=pytest.mark.service("postgresql")),
        pytest.param("valkey", marks=pytest.mark.service("valkey")),
    ],
)
def test_a_server_and_its_folder_go_when_the_tests_are_killed(name: str) -> None:
    command = [sys.executable, "-c", STARTER.format(name=name)]
    starter = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    folder, *pids = starter.stdout.readline().split()
    assert Path(folder).is_dir()
    starter.kill()
    starter.communicate()
    end = time.monotonic() + 60
    while Path(folder).exists() or any(psutil.pid_exists(int(pid)) for pid in pids):
        assert time.monotonic() < end
        time.sleep(0.02)
