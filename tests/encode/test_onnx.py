"""Claims about the ONNX Runtime adapter: what it refuses, and when it takes the quantised graph."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from arthur.encode import canary
from arthur.encode.export.graph import Graph, pixels_input
from arthur.encode.folder import open_folder
from arthur.encode.golden import Golden, save_golden
from arthur.encode.onnx import OnnxEncoder
from arthur.encode.runners import has_int8_dots
from arthur.errors import EngineError, EngineMismatch

WriteEngine = Callable[..., Path]
VNNI = frozenset({"avx512_vnni"})


def load(folder: Path, flags: frozenset[str] = frozenset()) -> OnnxEncoder:
    return OnnxEncoder(open_folder(folder), threads=1, cpu_flags=flags)


def graph_of(*, side: int = 16, dim: int = 8, source: str = "pixels", seed: int = 0) -> onnx.ModelProto:
    """A projection whose form may be wrong."""
    graph = Graph("tiny")
    values = graph.reshape(graph.node("Cast", source, to=onnx.TensorProto.FLOAT), [0, side * side * 3])
    matrix = np.random.default_rng(seed).standard_normal((side * side * 3, dim), dtype=np.float32)
    given = pixels_input(side)
    given.name = source
    return graph.model(given, graph.unit(graph.linear(values, matrix)), dim=dim)


def one_line(error: BaseException) -> bool:
    return "\n" not in str(error) and len(str(error)) < 500


@pytest.mark.parametrize(
    ("graph", "given"),
    [
        (graph_of(side=32), r"pixels tensor\(uint8\) \('n', 32, 32, 3\)"),
        (graph_of(dim=9), r"vectors tensor\(float\) \('n', 9\)"),
        (graph_of(source="images"), r"images tensor\(uint8\)"),
    ],
    ids=["side", "dim", "name"],
)
def test_a_graph_of_another_form_is_refused(write_engine: WriteEngine, graph: onnx.ModelProto, given: str) -> None:
    folder = write_engine(graph=graph)
    with pytest.raises(EngineMismatch, match=rf"engine\.toml promises .*, the graph has .*{given}") as caught:
        load(folder)
    assert one_line(caught.value)


def test_a_graph_for_one_batch_size_is_refused(write_engine: WriteEngine) -> None:
    graph = graph_of()
    graph.graph.input[0].CopyFrom(helper.make_tensor_value_info("pixels", onnx.TensorProto.UINT8, [1, 16, 16, 3]))
    folder = write_engine(graph=graph)
    with pytest.raises(EngineMismatch, match=r"promises pixels tensor\(uint8\) \(n, 16, 16, 3\)"):
        load(folder)


def test_a_changed_graph_is_refused_by_its_sha256(tiny_engine: Path) -> None:
    graph = tiny_engine / "image.onnx"
    graph.write_bytes(graph.read_bytes()[:-1] + b"\x00")
    with pytest.raises(EngineError, match=r"SHA-256 of .*image\.onnx is [0-9a-f]{64}, not [0-9a-f]{64}$"):
        load(tiny_engine)


@pytest.mark.parametrize("kept", [0, 10, 5_000])
def test_a_truncated_graph_is_one_clear_line(tiny_engine: Path, kept: int) -> None:
    graph, toml = tiny_engine / "image.onnx", tiny_engine / "engine.toml"
    graph.write_bytes(graph.read_bytes()[:kept])
    toml.write_text("".join(line for line in toml.read_text().splitlines(keepends=True) if "sha256" not in line))
    with pytest.raises(EngineError, match=r"image\.onnx") as caught:
        load(tiny_engine)
    assert one_line(caught.value)


def test_other_golden_vectors_are_refused(tiny_engine: Path) -> None:
    pixels = np.full((1, 16, 16, 3), 9, np.uint8)
    save_golden(tiny_engine / "golden.npz", Golden(pixels, np.eye(1, 8, dtype=np.float32)))
    with pytest.raises(
        EngineMismatch, match=r"differ from the golden ones by \d\.\d+ \(1 - cosine\), more than 0\.001"
    ):
        load(tiny_engine)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a zip", b"x" * 300, b"\x93NUMPY\x01\x00"])
def test_a_broken_golden_file_is_one_clear_line(tiny_engine: Path, content: bytes) -> None:
    (tiny_engine / "golden.npz").write_bytes(content)
    with pytest.raises(EngineError, match=r"golden\.npz holds no golden vectors") as caught:
        load(tiny_engine)
    assert one_line(caught.value)


def test_golden_vectors_of_another_form_are_refused(tiny_engine: Path) -> None:
    save_golden(tiny_engine / "golden.npz", Golden(np.zeros((2, 8, 8, 3), np.uint8), np.eye(2, 8, dtype=np.float32)))
    with pytest.raises(EngineError, match="do not fit side 16 and dim 8"):
        load(tiny_engine)


def quantised(folder: Path, *, seed: int) -> Path:
    """Add a second graph, as the quantised one; another seed makes it disagree with the golden vectors."""
    onnx.save(graph_of(seed=seed), folder / "image.int8.onnx")
    toml = folder / "engine.toml"
    toml.write_text(toml.read_text() + '[image.int8]\nfile = "image.int8.onnx"\n')
    return folder


def test_the_quantised_graph_runs_where_the_cpu_has_int8_dots(tiny_engine: Path) -> None:
    full = load(tiny_engine).spec
    small = load(quantised(tiny_engine, seed=0), VNNI).spec
    assert (full.variant, small.variant) == ("fp32", "int8")
    assert full.fingerprint == small.fingerprint


def test_the_full_graph_runs_where_the_cpu_has_no_int8_dots(tiny_engine: Path) -> None:
    assert load(quantised(tiny_engine, seed=0), frozenset({"avx2"})).spec.variant == "fp32"


def test_the_full_graph_runs_when_the_quantised_one_fails_the_golden_check(tiny_engine: Path) -> None:
    assert load(quantised(tiny_engine, seed=5), VNNI).spec.variant == "fp32"


def test_the_full_graph_runs_when_the_quantised_one_is_not_there(tiny_engine: Path) -> None:
    (quantised(tiny_engine, seed=0) / "image.int8.onnx").unlink()
    assert load(tiny_engine, VNNI).spec.variant == "fp32"


def test_int8_dots_are_told_by_the_flags_of_linux() -> None:
    assert has_int8_dots(frozenset({"avx_vnni", "sse"}))
    assert not has_int8_dots(frozenset({"avx512f"}))


def test_loading_writes_nothing_to_standard_error(tiny_engine: Path, capfd: pytest.CaptureFixture[str]) -> None:
    load(tiny_engine)
    graph = tiny_engine / "image.onnx"
    graph.write_bytes(b"broken")
    with pytest.raises(EngineError):
        load(tiny_engine)
    assert capfd.readouterr() == ("", "")


class Drifting:
    """An encoder that answers with another vector than at load."""

    def __init__(self, inner: OnnxEncoder) -> None:
        self.inner = inner
        self.spec = inner.spec

    def encode(self, pixels: np.ndarray) -> np.ndarray:
        return self.inner.encode(255 - pixels)

    def close(self) -> None:
        self.inner.close()


def test_canary_finds_an_engine_that_drifts(tiny_engine: Path) -> None:
    with pytest.raises(EngineError, match=r"tiny@[0-9a-f]{12}: the fixed picture's vector moved by"):
        canary(Drifting(load(tiny_engine)))
