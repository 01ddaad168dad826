"""The examples of the migration guide do what it says."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from arthur.__main__ import main
from arthur.replay.comparing import DIFFERENCES
from arthur.replay.recordings import read_recording
from arthur.replay.requests import Recorded

GUIDE = (Path(__file__).parents[2] / "docs" / "migration.md").read_text()
COMMANDS = re.findall(r"^\$ (arthur replay .*)$", GUIDE, re.MULTILINE)
LINES = re.findall(r"^```jsonl\n(.*?)```$", GUIDE, re.MULTILINE | re.DOTALL)[0]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with every file that the guide names."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "photo.jpg").write_bytes(b"a photo")
    (tmp_path / "v1.jsonl").write_text(LINES)
    (tmp_path / "access.log").write_text('- - - [now] "POST /match HTTP/1.1" 200 1 "-" "-"\n')
    entry = {"request": {"method": "GET", "url": "http://127.0.0.1:9000/status"}}
    (tmp_path / "v1.har").write_text(json.dumps({"log": {"entries": [entry]}}))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_line_of_the_example_can_be_sent(desk: Path) -> None:
    read = list(read_recording(desk / "v1.jsonl"))
    assert [type(one) for one in read] == [Recorded] * len(LINES.splitlines())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_guide_runs(desk: Path, v1: Callable[..., Any], command: str) -> None:
    old, new = v1([("night", 0.9)]), v1([("night", 0.9)])
    words = shlex.split(command.replace("http://127.0.0.1:9000", old.url).replace("http://127.0.0.1:9001", new.url))
    assert main(words[1:]) == 0
    assert old.seen


def test_every_difference_is_explained() -> None:
    assert [name for name in DIFFERENCES if f"| `{name}` |" not in GUIDE] == []
