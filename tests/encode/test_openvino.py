"""Claims about bfloat16 in OpenVINO."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from arthur.encode.building import build
from arthur.encode.export.engine import export_engine
from arthur.encode.export.materials import local_materials
from arthur.encode.folder import EngineFolder
from arthur.encode.onnx import OnnxEncoder
from arthur.encode.openvino import OpenVinoSession, openvino_version
from arthur.encode.runners import open_runner
from arthur.encode.samples import drawn
from arthur.errors import ConfigError, EngineError

GOLDEN = Path(__file__).parents[1] / "engines" / "golden"


@pytest.fixture
def engine(tmp_path: Path) -> EngineFolder:
    return export_engine(local_materials(GOLDEN / "clip"), into=tmp_path / "engines" / "clip")


def test_it_gives_the_vectors_of_onnx_runtime(engine: EngineFolder) -> None:
    pixels = drawn(32, count=5)
    vectors = OpenVinoSession(engine, threads=1).run(pixels)
    assert (vectors.shape, vectors.dtype) == ((5, 16), np.float32)
    np.testing.assert_allclose(vectors, open_runner(engine, "fp32", threads=1).run(pixels), atol=0.05)


@pytest.mark.parametrize("name", ["open_clip", "siglip", "dinov2", "dinov2_registers", "dinov3"])
def test_it_runs_every_family(tmp_path: Path, name: str) -> None:
    engine, pixels = export_engine(local_materials(GOLDEN / name), into=tmp_path / name), drawn(32, count=3)
    vectors, expected = (open_runner(engine, precision, threads=1).run(pixels) for precision in ("bf16", "fp32"))
    assert (vectors * expected).sum(axis=1).min() > 0.99


def test_answers_of_threads_are_not_mixed_up(engine: EngineFolder) -> None:
    session, pixels = OpenVinoSession(engine, threads=1), drawn(32, count=8)
    alone = [session.run(pixels[place : place + 1]) for place in range(8)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda place: session.run(pixels[place : place + 1]), list(range(8)) * 4))
    np.testing.assert_array_equal(np.concatenate(together), np.concatenate(alone * 4))


def test_a_vector_stays_when_the_next_picture_comes(engine: EngineFolder) -> None:
    session, pixels = OpenVinoSession(engine, threads=1), drawn(32, count=2)
    first = session.run(pixels[:1])
    kept = first.copy()
    session.run(pixels[1:])
    np.testing.assert_array_equal(first, kept)


def test_what_is_no_graph_is_one_line(engine: EngineFolder) -> None:
    (engine.path / "image.onnx").write_bytes(b"no graph")
    with pytest.raises(EngineError, match=r"engine clip: OpenVINO cannot run .*image\.onnx: ") as caught:
        OpenVinoSession(engine, threads=1)
    assert "\n" not in str(caught.value)


def test_without_openvino_the_full_graph_runs(
    engine: EngineFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built, _ = build("clip", "bf16", into=tmp_path / "engines", threads=1)
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert openvino_version() is None
    assert OnnxEncoder(built, threads=1, cpu_flags=frozenset({"amx_bf16"})).spec.variant == "fp32"
    with pytest.raises(ConfigError, match=r"bf16 needs OpenVINO: pip install 'arthur-imgreco\[openvino\]'"):
        build("clip", "bf16", into=tmp_path / "engines", threads=1)
