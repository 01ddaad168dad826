"""Claims about pulling from a hub: a server on this machine plays it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from arthur.__main__ import main
from arthur.encode.folder import open_folder
from tests.engines.hub_server import Hub, serving

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with `someone/tiny`, and an empty cache."""
    shutil.copytree(GOLDEN / "clip", tmp_path / "hub" / "someone" / "tiny")
    with serving(tmp_path / "hub") as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        yield hub


@pytest.fixture
def pull(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Run `arthur engines pull ...` and return the exit status and the last line on standard error."""

    def run(*words: str) -> tuple[int, str]:
        status = main(["engines", "pull", *words, "--data", str(tmp_path / "data")])
        return status, (capsys.readouterr().err.splitlines() or [""])[-1]

    return run


def pulled(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "data").rglob("*") if path.is_file())


def test_a_repository_becomes_an_engine(hub: Hub, pull: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    assert pull("someone/tiny")[0] == 0
    assert {"engine.toml", "golden.npz", "image.onnx", "text.onnx"} <= set(pulled(tmp_path))
    assert len(open_folder(tmp_path / "data" / "engines" / "tiny").facts.source.sha256) == 64


def test_a_broken_connection_is_taken_up_where_it_broke(
    hub: Hub, pull: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 10_000)
    hub.breaks = 1
    assert pull("someone/tiny")[0] == 0
    assert "bytes=80000-" in hub.ranges


def test_a_connection_that_goes_on_breaking_is_one_line(
    hub: Hub, pull: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda _: None)
    hub.breaks = 100
    status, line = pull("someone/tiny")
    assert (status, "model.safetensors at main cannot be downloaded: peer closed" in line) == (1, True)
    assert pulled(tmp_path) == []


def test_what_was_downloaded_is_not_downloaded_again(hub: Hub, pull: Callable[..., tuple[int, str]]) -> None:
    pull("someone/tiny")
    before = len(hub.ranges)
    assert (pull("someone/tiny")[0], len(hub.ranges)) == (0, before)


def test_offline_takes_what_was_downloaded(hub: Hub, pull: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    pull("someone/tiny")
    shutil.rmtree(tmp_path / "data")
    shutil.rmtree(hub.folder)
    assert pull("someone/tiny", "--offline")[0] == 0


def test_other_weights_than_before_are_refused(hub: Hub, pull: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    pull("someone/tiny")
    kept = (tmp_path / "data" / "engines" / "tiny" / "engine.toml").read_bytes()
    shutil.rmtree(tmp_path / "cache")
    shutil.copy(GOLDEN / "siglip" / "model.safetensors", hub.folder / "someone" / "tiny")
    status, line = pull("someone/tiny")
    assert (status, "SHA-256 of" in line) == (2, True)
    assert (tmp_path / "data" / "engines" / "tiny" / "engine.toml").read_bytes() == kept


def test_truncated_weights_are_refused(hub: Hub, pull: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    weights = hub.folder / "someone" / "tiny" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:50_000])
    status, line = pull("someone/tiny")
    assert (status, "is not a safetensors file" in line, pulled(tmp_path)) == (2, True, [])


@pytest.mark.parametrize(
    ("reference", "status", "message"),
    [
        ("no-such-engine", 2, "neither a folder nor one of"),
        ("someone/else", 2, "someone/else/config.json at main does not exist"),
        ("dinov2-small", 2, "facebook/dinov2-small/model.safetensors at ed25f3a31f01632728cabb09d1542f84ab7b0056"),
    ],
)
def test_what_is_not_there_is_named(
    hub: Hub, pull: Callable[..., tuple[int, str]], tmp_path: Path, reference: str, status: int, message: str
) -> None:
    found, line = pull(reference)
    assert (found, line.startswith("arthur: "), message in line, pulled(tmp_path)) == (status, True, True, [])


def test_what_was_never_downloaded_is_not_there_offline(
    pull: Callable[..., tuple[int, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    status, line = pull("someone/tiny", "--offline")
    assert (status, "is not in the local Hugging Face cache, and downloads are off" in line) == (1, True)


@pytest.mark.parametrize(("switch", "status"), [({}, 0), ({"HF_HUB_OFFLINE": "1"}, 1)], ids=["mirror", "offline"])
def test_the_hubs_environment_holds(hub: Hub, tmp_path: Path, switch: dict[str, str], status: int) -> None:
    environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home"), **switch}
    command = [sys.executable, "-m", "arthur", "engines", "pull", "someone/tiny", "--data", str(tmp_path / "data")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    assert ("downloads are off" in done.stderr) == bool(status)
