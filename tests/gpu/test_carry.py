"""Claims about what is brought to a GPU machine: it arrives whole, or is left out; and about its report."""

import ctypes
import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from arthur.encode.golden import load_golden
from arthur.encode.runners import open_runner
from bench.gpu.carry import stand_in, write_loads
from bench.gpu.engines import random_engine
from bench.gpu.report import lines, read, write_parquet
from bench.gpu.unpack import unpack

KIB = 1 << 10


@pytest.fixture
def pieces(tmp_path: Path) -> Path:
    """The pieces of a folder of 40 KiB, gathered from its loads."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "noise").write_bytes(np.random.default_rng(0).bytes(40 * KIB))
    (tmp_path / "carry").mkdir()
    assert write_loads(tmp_path / "site", tmp_path / "carry", first=0, most=30 * KIB, piece_bytes=20 * KIB) == 2
    gathered = tmp_path / "pieces"
    gathered.mkdir()
    for piece in (tmp_path / "carry").glob("load-*/*.xz"):
        shutil.copy(piece, gathered)
    (gathered / "contents").write_text("site.3\n")
    return gathered


def test_what_was_carried_arrives_whole(pieces: Path, tmp_path: Path) -> None:
    unpack(pieces, tmp_path / "there")
    noise = Path("site") / "noise"
    assert (tmp_path / "there" / noise).read_bytes() == (tmp_path / noise).read_bytes()


def test_a_folder_with_a_missing_piece_is_left_out(
    pieces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pieces / "site.0001.xz").unlink()
    unpack(pieces, tmp_path / "there")
    assert "site: 2 of 3 pieces are here, so it is left out" in capsys.readouterr().out


def test_a_library_stands_in_for_another(tmp_path: Path) -> None:
    stand_in(tmp_path / "libcublas.so.12", ["cublasCreate_v2"])
    assert ctypes.CDLL(str(tmp_path / "libcublas.so.12")).cublasCreate_v2() == 1


def test_a_random_engine_is_one_that_verifies(tmp_path: Path) -> None:
    folder = random_engine("tiny", into=tmp_path)
    golden = load_golden(folder.path / "golden.npz", facts=folder.facts)
    found = open_runner(folder, "fp32", threads=1).run(golden.pixels)
    np.testing.assert_allclose(found, golden.vectors, atol=1e-5)
    assert random_engine("tiny", into=tmp_path).facts == folder.facts


ROWS = [
    {"engine": "b32", "system": "tensorrt", "part": "parity", "cosine": 0.9999},
    {"engine": "b32", "system": "tensorrt", "part": "call", "batch": 8, "ms": 1.0},
    {"engine": "b32", "system": "tensorrt", "part": "throughput", "batch": 8, "images_s": 9000.0},
    {"engine": "b32", "system": "tensorrt", "part": "clients", "clients": 64, "ms": 4.0},
    {"engine": "b32", "system": "transformers", "part": "throughput", "batch": 8, "images_s": 3000.0},
    {"engine": "b32", "system": "torch.compile", "part": "error", "note": "it broke"},
]


def test_a_report_tells_figures_ratios_and_what_broke(tmp_path: Path) -> None:
    text = "\n".join(json.dumps(row) for row in ROWS)
    (tmp_path / "rows-b32-all.jsonl").write_text(text + '\n{"engine": "b3')  # the last line was cut off
    rows = read(tmp_path)
    report = "\n".join(lines(rows, "a GPU"))
    assert "| tensorrt | 8 | 1.000 | 1.000 | 9,000 | 0.99990 |" in report
    assert "| torch.compile | | | | |  | it broke |" in report
    assert "9,000 images/s; 3.00 x transformers" in report
    write_parquet(rows, tmp_path / "rows.parquet")
    assert pl.read_parquet(tmp_path / "rows.parquet")["system"].to_list() == [row["system"] for row in ROWS]
