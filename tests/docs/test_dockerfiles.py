"""Claims about the images: what they copy is there, and their commands serve, answer the health check and drain."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.ports import free_port

ROOT = Path(__file__).parents[2]
FILES = ["Dockerfile", "Dockerfile.gpu"]
WAIT_S = 120
pytestmark = pytest.mark.slow


def instructions(file: str) -> list[tuple[str, str]]:
    """Return every instruction of a Dockerfile with its words."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / file).read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n", " ", text).splitlines()
    return [(name, words.strip()) for name, _, words in (line.partition(" ") for line in lines if line)]


def last(file: str, name: str) -> str:
    return [words for found, words in instructions(file) if found == name][-1]


def exec_form(words: str) -> list[str]:
    """Return a command that is written as JSON."""
    return list(json.loads(words[words.index("[") :]))


def variables(file: str) -> dict[str, str]:
    """Return what the image that runs sets for Arthur."""
    words = shlex.split(last(file, "ENV"))
    return {name: value for name, _, value in (word.partition("=") for word in words) if name.startswith("ARTHUR_")}


def copied(file: str) -> Iterator[str]:
    """Yield what is copied from the project."""
    for name, words in instructions(file):
        if name == "COPY" and "--from" not in words:
            yield from words.split()[:-1]


@pytest.mark.parametrize("file", FILES)
def test_what_is_copied_is_in_the_project_and_not_ignored(file: str) -> None:
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for path in copied(file):
        assert (ROOT / path).exists()
        assert any(fnmatch.fnmatch(path, pattern) for pattern in kept)


@pytest.mark.parametrize("file", FILES)
def test_versions_are_those_of_the_project(file: str) -> None:
    told = "\n".join(words for _, words in instructions(file))
    project = (ROOT / "pyproject.toml").read_text()
    for name in set(re.findall(r"\b((?:maturin|cuda-bindings|nvidia-ml-py)==[\d.]+)", told)):
        assert f'"{name}"' in project
    channel = re.search(r'channel = "([\d.]+)"', (ROOT / "rust-toolchain.toml").read_text())
    assert f"rust:{channel[1]}-slim" in told
    assert all(re.search(r":[\w.-]*\d+\.\d+", words) for name, words in instructions(file) if name == "FROM")


@pytest.mark.parametrize("file", FILES)
def test_nobody_runs_as_root(file: str) -> None:
    assert last(file, "USER") == "10001:10001"


@contextmanager
def started(file: str, data: Path, **settings: str) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, str]]]:
    """Run an image's command as it would run there, but with a data folder and a port of this test."""
    given = variables(file) | {"ARTHUR_DATA": str(data), "ARTHUR_PORT": str(free_port())} | settings
    environment = os.environ | given
    command = exec_form(last(file, "CMD"))
    assert command[0] == "arthur"
    process = subprocess.Popen([sys.executable, "-m", *command], env=environment, stderr=subprocess.PIPE)
    try:
        yield process, environment
    finally:
        for part in [*psutil.Process(process.pid).children(recursive=True), process] if process.poll() is None else []:
            part.kill()
        process.communicate()


def healthy(file: str, environment: dict[str, str]) -> bool:
    """Run the image's health check."""
    command = exec_form(last(file, "HEALTHCHECK"))
    return subprocess.run([sys.executable, *command[1:]], env=environment, capture_output=True).returncode == 0


def test_the_image_serves_is_healthy_and_drains(tmp_path: Path) -> None:
    with started("Dockerfile", tmp_path) as (process, environment):
        end = time.monotonic() + WAIT_S
        while not healthy("Dockerfile", environment) and time.monotonic() < end:
            assert process.poll() is None
        assert healthy("Dockerfile", environment)
        process.send_signal(getattr(signal, last("Dockerfile", "STOPSIGNAL")))
        assert process.wait(WAIT_S) == 0
        assert not healthy("Dockerfile", environment)


def test_the_gpu_image_says_what_is_missing(tmp_path: Path) -> None:
    with started("Dockerfile.gpu", tmp_path, ARTHUR_DEVICE="cuda:99") as (process, environment):
        assert process.wait(WAIT_S) == 2
        assert b"GPU 99 was asked for" in process.stderr.read()
        assert not healthy("Dockerfile.gpu", environment)
