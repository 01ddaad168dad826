"""Fixtures: the command line as a function, and a shelf of pictures."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from arthur.__main__ import main
from tests.models import picture


@dataclass(frozen=True)
class Done:
    """A finished command."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> list[dict[str, object]]:
        """Standard output as JSON lines."""
        return [orjson.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def arthur(
    tmp_path: Path, tiny_engine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Done]:
    """Run a command over a data folder of its own with the tiny engine: `arthur("match", file)`."""
    monkeypatch.setenv("ARTHUR_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ARTHUR_ENGINE", str(tiny_engine))
    monkeypatch.setenv("ARTHUR_INDEX", "exact:")
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> Done:
        monkeypatch.setattr("sys.stdin", io.StringIO())
        capsys.readouterr()
        status = main([str(word) for word in words])
        return Done(status, *capsys.readouterr())

    return run


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A folder with six pictures by two artists."""
    for seed in range(6):
        file = tmp_path / "shelf" / f"a{seed % 2}" / f"e{seed}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture(seed))
    return tmp_path / "shelf"
