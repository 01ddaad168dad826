"""Claims about engines that are not right: one line says what is wrong, the exit status is 2, and nothing changes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tests.models import picture

GOLDEN = Path(__file__).parents[1] / "engines" / "golden"
RUNS = ("verify", "build", "bench", "tune", "passport", "match")


@pytest.fixture
def engine(arthur: Callable[..., object], tmp_path: Path) -> Path:
    """A pulled engine, and a picture beside the data folder."""
    assert arthur("engines", "pull", GOLDEN / "clip").status == 0
    (tmp_path / "photo.png").write_bytes(picture(1))
    return tmp_path / "data" / "engines" / "clip"


def changed(file: str, old: str = "", new: str = "", *, kept: int | None = None) -> Callable[[Path], None]:
    """Return what replaces text in a file, or cuts it off."""

    def change(engine: Path) -> None:
        content = (engine / file).read_bytes()
        (engine / file).write_bytes(content[:kept] if kept is not None else content.replace(old.encode(), new.encode()))

    return change


def without_hashes(engine: Path) -> None:
    """Let files be the user's own."""
    lines = (engine / "engine.toml").read_text().splitlines()
    (engine / "engine.toml").write_text("\n".join(line for line in lines if not line.startswith("sha256")))


def own_and_cut(engine: Path) -> None:
    without_hashes(engine)
    changed("image.onnx", kept=900)(engine)


def golden_of_another(engine: Path) -> None:
    np.savez(engine / "golden.npz", pixels=np.zeros((2, 8, 8, 3), np.uint8), vectors=np.zeros((2, 16), np.float32))


def lose_image(engine: Path) -> None:
    (engine / "image.onnx").unlink()


WRONG: dict[str, tuple[Callable[[Path], None], str, tuple[str, ...]]] = {
    "graph with another hash": (changed("image.onnx", kept=-1), "SHA-256 of", RUNS),
    "graph of one's own, truncated": (own_and_cut, "is not a graph that runs", ("verify", "build", "bench", "tune")),
    "graph missing": (lose_image, "is not there; `arthur engines pull` brings it", RUNS),
    "another dim": (changed("engine.toml", "dim = 16", "dim = 17"), "promises vectors", ("verify", "build", "match")),
    "another side": (changed("engine.toml", "side = 32", "side = 16"), "promises pixels", ("verify", "build", "tune")),
    "no dim": (changed("engine.toml", "dim = 16", "dim = 0"), "key 'dim'", RUNS),
    "an unknown key": (changed("engine.toml", "dim = 16", "dim = 16\ndepth = 2"), "key 'depth'", RUNS),
    "no TOML": (changed("engine.toml", "dim = 16", "dim"), "not TOML", RUNS),
    "golden vectors truncated": (changed("golden.npz", kept=99), "no golden vectors", ("verify", "build", "tune")),
    "golden vectors of another": (golden_of_another, "do not fit side 32 and dim 16", ("verify", "build", "match")),
}


@pytest.mark.parametrize(
    ("wrong", "command"), [(name, command) for name, (_, _, commands) in WRONG.items() for command in commands]
)
def test_an_engine_that_is_wrong_is_told_in_one_line(
    arthur: Callable[..., object], engine: Path, tmp_path: Path, wrong: str, command: str
) -> None:
    change, message, _ = WRONG[wrong]
    change(engine)
    before = contents(engine.parent)
    words = (
        ("match", tmp_path / "photo.png", "--engine", "clip") if command == "match" else ("engines", command, "clip")
    )
    done = arthur(*words)
    assert (done.status, done.out, done.err.count("\n"), message in done.err) == (2, "", 1, True), done.err
    assert "/." not in done.err.replace(str(tmp_path), "")  # names no copy that is gone
    assert contents(engine.parent) == before


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "words",
    [
        *(("engines", command, "nothing") for command in (*RUNS[:-1], "pull")),
        *((command, "--engine", "nothing") for command in ("status", "reindex")),
        ("search", "a boat", "--engine", "nothing"),
    ],
    ids=" ".join,
)
def test_an_engine_that_is_unknown_is_told_in_one_line(
    arthur: Callable[..., object], tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = arthur(*words)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1), done.err
    assert "'nothing' is neither a folder nor one of: " in done.err
    assert not (tmp_path / "data" / "engines").exists()


def test_a_server_with_an_unknown_engine_does_not_start(tmp_path: Path) -> None:
    words = ("serve", "--engine", "nothing", "--data", str(tmp_path / "data"), "--port", "1", "--workers", "1")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "arthur", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert "'nothing' is neither a folder nor one of: " in done.stderr


def other_weights(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors["visual_projection.weight"] = np.ones((9, 32), np.float32)
    save_file(tensors, folder / "model.safetensors")


def pinned(folder: Path) -> None:
    description = (GOLDEN / "open_clip" / "engine.toml").read_text()
    source = '\n[source]\nrepository = "a/b"\nsha256 = "' + 64 * "0" + '"\n'
    (folder / "engine.toml").write_text(description + source)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (changed("model.safetensors", kept=500), "is not a safetensors file"),
        (lambda folder: (folder / "model.safetensors").unlink(), "cannot be read: No such file"),
        (other_weights, "visual_projection.weight is (9, 32), not (16, 32)"),
        (pinned, f"not {64 * '0'}"),
        (changed("config.json", '"clip"', '"resnet"'), "model_type 'resnet' is none of"),
        (changed("config.json", kept=20), "Invalid JSON"),
        (changed("config.json", '"model_type"', '"pretrained_cfg"'), "key 'architecture'"),
        (lambda folder: (folder / "config.json").unlink(), "config.json cannot be read"),
        (lambda folder: (folder / "tokenizer.json").write_text("{}"), "is not a tokenizer"),
    ],
    ids=["truncated", "missing", "shape", "hash", "family", "json", "timm", "no config", "tokenizer"],
)
def test_weights_that_are_wrong_leave_what_was_there(
    arthur: Callable[..., object], engine: Path, clip: Path, change: Callable[[Path], None], message: str
) -> None:
    before = contents(engine.parent)
    change(clip)
    done = arthur("engines", "pull", clip)
    assert (done.status, done.out, done.err.count("\n"), message in done.err) == (2, "", 1, True), done.err
    assert contents(engine.parent) == before


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A copy of the weights that a test may change."""
    folder = tmp_path / "weights" / "clip"
    folder.mkdir(parents=True)
    for path in (GOLDEN / "clip").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


@pytest.mark.parametrize(
    ("module", "words", "message"),
    [
        ("openvino", ("engines", "verify", "clip", "--precision", "bf16"), "pip install 'arthur-imgreco[openvino]'"),
        ("openvino", ("engines", "build", "clip", "--precision", "bf16"), "pip install 'arthur-imgreco[openvino]'"),
        ("torch", ("engines", "pull", "mobileclip2-s2"), "pip install 'arthur-imgreco[export,pull]'"),
        ("huggingface_hub", ("engines", "pull", "siglip2-base"), "pip install 'arthur-imgreco[pull]'"),
    ],
    ids=["verify", "build", "torch", "hub"],
)
def test_what_has_to_be_installed_is_told(
    arthur: Callable[..., object],
    engine: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    words: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    before = contents(engine.parent)
    done = arthur(*words)
    assert (done.status, done.out, done.err.count("\n"), message in done.err) == (2, "", 1, True), done.err
    assert contents(engine.parent) == before


def test_texts_for_an_engine_that_reads_none_are_told_in_one_line(arthur: Callable[..., object]) -> None:
    done = arthur("search", "a boat")
    assert (done.status, done.out) == (1, "")
    assert done.err == "arthur: the engine tiny has no text tower, so it cannot search by text\n"
