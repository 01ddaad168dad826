"""Claims about `arthur engines`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from arthur.__main__ import main
from arthur.encode.folder import open_folder
from arthur.encode.golden import Golden, load_golden, save_golden

CLIP = Path(__file__).parents[1] / "engines" / "golden" / "clip"


@pytest.fixture
def arthur(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Run `arthur engines ...` and return the exit status and what it printed, errors and all."""

    def run(*words: object) -> tuple[int, str]:
        capsys.readouterr()
        status = main(["engines", *(str(word) for word in words)])
        return status, "".join(capsys.readouterr())

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


def test_an_unknown_engine_is_wrong_usage(arthur: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    status, text = arthur("verify", "no-such-engine", "--data", tmp_path)
    assert (status, text.startswith("arthur: engine 'no-such-engine' is neither")) == (2, True)


@pytest.fixture
def pulled(arthur: Callable[..., tuple[int, str]], tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Run commands where the golden CLIP was pulled: `pulled("build")` is `arthur engines build clip`."""
    assert arthur("pull", CLIP, "--data", tmp_path)[0] == 0
    return lambda command, *words: arthur(command, "clip", "--data", tmp_path, "--threads", "1", *words)


def test_what_was_built_is_in_the_passport(
    arthur: Callable[..., tuple[int, str]], pulled: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    status, text = pulled("build", "--precision", "int8")
    assert (status, text.startswith("clip runs in int8 from the next start on (int8 has cosine 0.99")) == (0, True)
    passport = json.loads(arthur("passport", "clip", "--data", tmp_path)[1])
    assert (passport["name"], passport["passport"]["precision"]) == ("clip", "int8")


def test_verify_compares_one_precision(pulled: Callable[..., tuple[int, str]]) -> None:
    row = json.loads(pulled("verify", "--precision", "int8", "--json")[1])
    assert (row["precision"], row["pictures"], row["same_nearest"], row["passed"]) == ("int8", 32, 1.0, True)


def test_bench_measures_every_precision(pulled: Callable[..., tuple[int, str]]) -> None:
    status, text = pulled("bench", "--batch", 2, "--rounds", 1, "--json")
    rows = [json.loads(line) for line in text.splitlines()]
    assert (status, rows[0]["precision"], rows[0]["ratio"], {row["batch"] for row in rows}) == (0, "fp32", 1.0, {2})
    assert {"fp32", "int8"} <= {row["precision"] for row in rows}


def test_own_pictures_are_compared(
    pulled: Callable[..., tuple[int, str]], artworks: list[bytes], tmp_path: Path
) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "notes.txt").write_text("no picture")
    assert pulled("verify", "--precision", "int8", "--pictures", tmp_path / "own")[0] == 2
    for place, data in enumerate(artworks[:3]):
        (tmp_path / "own" / f"{place}.jpg").write_bytes(data)
    row = json.loads(pulled("verify", "--precision", "int8", "--pictures", tmp_path / "own", "--json")[1])
    assert row["pictures"] == 3


def test_tune_keeps_the_best_settings(
    arthur: Callable[..., tuple[int, str]], pulled: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    quick = ("--batch", 1, "--wait-ms", 0, "--clients", 2, "--seconds", 0.05, "--repeats", 1, "--goal-ms", 5000)
    status, text = pulled("tune", "--precision", "fp32", *quick, "--json")
    row = json.loads(text)
    assert (status, row["precision"], row["threads"], row["batch_max"]) == (0, "fp32", 1, 1)
    passport = json.loads(arthur("passport", "clip", "--data", tmp_path)[1])
    assert passport["tuning"]["per_s"] == row["per_s"] > 0


def test_an_unknown_precision_cannot_be_tuned(pulled: Callable[..., tuple[int, str]]) -> None:
    status, text = pulled("tune", "--precision", "fp31")
    assert (status, text) == (2, "arthur: precision 'fp31' is none of fp32, bf16, int8\n")
