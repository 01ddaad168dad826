"""Processes that tests may kill."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Spawn = Callable[[Path, str], "subprocess.Popen[str]"]


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    """Start a script with one argument as a process of its own; whatever still runs at the end is killed."""
    running: list[subprocess.Popen[str]] = []

    def start(script: Path, argument: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(script), argument]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        pipe = subprocess.PIPE
        running.append(subprocess.Popen(command, env=environment, text=True, stdin=pipe, stdout=pipe))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()
