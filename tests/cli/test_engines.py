"""Claims about `arthur engines`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from arthur.cli.engines import app
from arthur.encode.folder import open_folder
from arthur.encode.golden import Golden, load_golden, save_golden
from arthur.errors import ConfigError

CLIP = Path(__file__).parents[1] / "engines" / "golden" / "clip"


@pytest.fixture
def arthur() -> Callable[..., tuple[int, str]]:
    """Run `arthur engines ...` and return the exit status and what it printed."""

    def run(*words: str | Path) -> tuple[int, str]:
        result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
        return result.exit_code, result.stdout

    return run


def test_list_tells_what_needs_a_pull(arthur: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    status, text = arthur("list", "--data", tmp_path)
    assert status == 0
    assert "clip-vit-b32             needs pull" in text


def test_list_prints_json(arthur: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    rows = json.loads(arthur("list", "--data", tmp_path, "--json")[1])
    assert {"name", "licence", "side", "dim", "ready", "source", "path"} == set(rows[0])


def test_a_folder_is_pulled_listed_and_verified(arthur: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    status, text = arthur("pull", CLIP, "--data", tmp_path, "--offline", "--json")
    [row] = json.loads(text)
    assert (status, row["name"], row["path"]) == (0, "clip", str(tmp_path / "engines" / "clip"))
    assert "clip                     ready" in arthur("list", "--data", tmp_path)[1]
    status, text = arthur("verify", "clip", "--data", tmp_path, "--threads", "1")
    assert (status, "fp32  passed" in text) == (0, True)


def test_export_writes_the_folder_it_is_told(arthur: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    status, text = arthur("export", CLIP, "--into", tmp_path / "mine", "--name", "mine", "--licence", "MIT")
    assert status == 0
    assert text.startswith("mine@")
    assert open_folder(tmp_path / "mine").facts.licence == "MIT"


def test_verify_exits_1_when_vectors_differ(arthur: Callable[..., tuple[int, str]], tiny_engine: Path) -> None:
    path = tiny_engine / "golden.npz"
    golden = load_golden(path, facts=open_folder(tiny_engine).facts)
    save_golden(path, Golden(golden.pixels, golden.vectors[::-1]))
    status, text = arthur("verify", tiny_engine, "--threads", "1")
    assert (status, "fp32  FAILED" in text) == (1, True)


def test_errors_reach_the_caller_as_ours(arthur: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no-such-engine"):
        arthur("verify", "no-such-engine", "--data", tmp_path)
