"""The committed engine is what its description says, and tells pictures apart."""

import hashlib
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import engines.arthur_mini
from bench.artphoto.paintings import painting, work
from engines.arthur_mini.evaluate import distort
from engines.arthur_mini.pool import squash
from engines.arthur_mini.runtime import Graph

FOLDER = Path(engines.arthur_mini.__file__).parent
ENGINE = tomllib.loads((FOLDER / "engine.toml").read_text())
FILES = [ENGINE["image"]["file"], *(part["file"] for part in [ENGINE["image"].get("int8")] if part)]


@pytest.fixture(scope="module", params=FILES)
def graph(request: pytest.FixtureRequest) -> Graph:
    return Graph(FOLDER / request.param)


@pytest.fixture(scope="module")
def golden() -> dict[str, NDArray]:
    with np.load(FOLDER / ENGINE["golden"]["file"]) as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def works() -> list[NDArray[np.uint8]]:
    return [painting(900 + number, 0, 0, size=320) for number in range(101)]


def test_files_have_the_hashes_that_are_recorded() -> None:
    image = ENGINE["image"]
    for part in (image, *([image["int8"]] if "int8" in image else [])):
        assert hashlib.sha256((FOLDER / part["file"]).read_bytes()).hexdigest() == part["sha256"]


def test_float32_gives_the_golden_vectors(golden: dict[str, NDArray]) -> None:
    vectors = Graph(FOLDER / ENGINE["image"]["file"]).encode(golden["pixels"])
    assert vectors.shape == (len(golden["pixels"]), ENGINE["dim"])
    assert (1 - (vectors * golden["vectors"]).sum(1)).max() <= ENGINE["golden"]["tolerance"]


def test_every_precision_agrees_with_the_golden_vectors(graph: Graph, golden: dict[str, NDArray]) -> None:
    cosines = (graph.encode(golden["pixels"]) * golden["vectors"]).sum(1)
    assert cosines.min() >= 0.99


def test_the_side_is_the_one_described(graph: Graph) -> None:
    assert graph.side == ENGINE["side"]


def test_vectors_are_unit_rows(graph: Graph, golden: dict[str, NDArray]) -> None:
    vectors = graph.encode(golden["pixels"])
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_black_and_a_white_picture_have_vectors_too(graph: Graph) -> None:
    flat = np.zeros((2, graph.side, graph.side, 3), np.uint8)
    flat[1] = 255
    assert np.isfinite(graph.encode(flat)).all()


def test_a_row_of_a_batch_is_the_single_row(graph: Graph, golden: dict[str, NDArray]) -> None:
    batch = graph.encode(golden["pixels"])
    single = np.concatenate([graph.encode(square[None]) for square in golden["pixels"]])
    np.testing.assert_allclose(batch, single, atol=1e-3)


def test_distorted_works_are_nearest_to_their_originals(graph: Graph, works: list[NDArray[np.uint8]]) -> None:
    copies = [distort(work, np.random.default_rng(number)) for number, work in enumerate(works)]
    cosines = graph.encode_pictures(copies) @ graph.encode_pictures(works).T
    assert (cosines.argmax(1) == np.arange(len(copies))).mean() >= 0.95


def test_squares_ignore_the_aspect_ratio() -> None:
    assert ENGINE["fit"] == "stretch"
    assert squash(np.zeros((40, 90, 3), np.uint8), 32).shape == (32, 32, 3)


def test_a_pool_holds_the_works_of_its_seed(tmp_path: Path) -> None:
    # another process, for a pool is painted by forked ones and this one has threads of the runtime
    module = "engines.arthur_mini.pool"
    arguments = [str(tmp_path), "--works", "8", "--side", "32", "--seed", "4", "--processes", "1"]
    subprocess.run([sys.executable, "-m", module, *arguments], check=True)
    assert json.loads((tmp_path / "pool.json").read_text())["seed"] == 4
    first = squash(painting(*work(0, seed=4), size=256), 32)
    assert np.array_equal(np.load(tmp_path / "works.npy")[0], first)
