"""Claims about precisions: what may stand in for the full graph, and what runs then."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from arthur.encode.building import bench, build, compare_graphs
from arthur.encode.export.engine import export_engine
from arthur.encode.export.graph import Graph, pixels_input
from arthur.encode.export.materials import local_materials
from arthur.encode.export.quantise import quantise
from arthur.encode.folder import EngineFolder, find_folder, open_folder
from arthur.encode.golden import Golden, distances, save_golden
from arthur.encode.onnx import OnnxEncoder
from arthur.encode.precision import FARTHEST_ROW, compare
from arthur.encode.runners import open_runner
from arthur.encode.samples import altered, drawn
from arthur.encode.spec import GraphFile, Variant
from arthur.errors import ConfigError, EngineError
from arthur.types import Pixels, Vectors

GOLDEN = Path(__file__).parents[1] / "engines" / "golden"
VNNI, AMX = frozenset({"avx512_vnni"}), frozenset({"amx_bf16"})
PICTURES = drawn(16, count=12)


@pytest.fixture
def engine(tmp_path: Path) -> EngineFolder:
    """A pulled engine, small but whole."""
    return export_engine(local_materials(GOLDEN / "clip"), into=tmp_path / "engines" / "clip")


def variant(folder: EngineFolder, flags: frozenset[str]) -> str:
    return OnnxEncoder(folder, threads=1, cpu_flags=flags).spec.variant


@pytest.mark.parametrize(("precision", "flags"), [("int8", VNNI), ("bf16", AMX), ("fp32", VNNI | AMX)])
def test_what_was_built_runs(engine: EngineFolder, tmp_path: Path, precision: str, flags: frozenset[str]) -> None:
    built, found = build("clip", precision, into=tmp_path / "engines", threads=1)
    assert (found.passed, variant(built, flags)) == (True, precision)
    assert built.spec().fingerprint == engine.spec().fingerprint


@pytest.mark.parametrize("precision", ["int8", "bf16"])
def test_the_full_graph_runs_on_another_cpu(engine: EngineFolder, tmp_path: Path, precision: str) -> None:
    built, _ = build("clip", precision, into=tmp_path / "engines", threads=1)
    assert variant(built, frozenset({"sse2"})) == "fp32"


def test_a_packaged_engine_is_copied_before_it_changes(tmp_path: Path) -> None:
    built, _ = build("arthur-mini", "fp32", into=tmp_path / "engines", threads=1)
    assert built.path == tmp_path / "engines" / "arthur_mini"
    assert (built.facts.passport.precision, built.facts.passport.pictures) == ("fp32", 32)


def test_an_int8_graph_that_is_there_is_kept(tmp_path: Path) -> None:
    packaged = find_folder("arthur-mini")
    built, _ = build("arthur-mini", "int8", into=tmp_path / "engines", threads=1)
    assert built.facts.image.int8 == packaged.facts.image.int8
    assert (built.path / "arthur-mini.int8.onnx").read_bytes() == (packaged.path / "arthur-mini.int8.onnx").read_bytes()


def test_a_build_tells_how_far_it_is_and_leaves_a_log(engine: EngineFolder, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    built, _ = build("clip", "int8", into=tmp_path / "engines", threads=1, advance=lambda *far: told.append(far))
    assert (told[-1], sorted(told)) == ((160, 160), told)
    lines = (built.path / "engine.log").read_text().splitlines()
    assert [line.split(" ")[1:3] for line in lines] == [["build", "int8"], ["built", "int8:"]]


def test_a_folder_that_is_named_keeps_what_else_lies_in_it(engine: EngineFolder, tmp_path: Path) -> None:
    (engine.path / "notes.py").write_text("mine")
    built, _ = build(str(engine.path), "int8", into=tmp_path / "elsewhere", threads=1)
    assert (built.path, (built.path / "notes.py").read_text()) == (engine.path, "mine")


def fragile_graph() -> onnx.ModelProto:
    """A projection of which int8 loses all but one number: that one is 300 times as large as the others."""
    graph = Graph("fragile")
    flat = graph.reshape(graph.node("Cast", "pixels", to=onnx.TensorProto.FLOAT), [0, 768])
    scale = np.ones(768, np.float32)
    scale[0] = 300
    matrix = np.random.default_rng(0).standard_normal((768, 8), dtype=np.float32)
    matrix[0] /= 300
    vectors = graph.unit(graph.linear(graph.node("Mul", flat, graph.constant(scale)), matrix))
    return graph.model(pixels_input(16), vectors, dim=8)


def test_a_graph_that_is_too_far_off_changes_nothing(write_engine: object, tmp_path: Path) -> None:
    folder = write_engine("fragile", graph=fragile_graph())  # type: ignore[operator]
    vectors = OnnxEncoder(open_folder(folder), threads=1).encode(PICTURES)
    save_golden(folder / "golden.npz", Golden(PICTURES, vectors))
    write_engine("fragile", graph=fragile_graph(), extra='[golden]\nfile = "golden.npz"\n')  # type: ignore[operator]
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(EngineError, match=r"fragile stays as it was: int8 comes to a cosine of .* \(at least 0\.99\)"):
        build("fragile", "int8", into=tmp_path / "engines", threads=1)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_int8_is_not_compared_where_there_is_none(tiny_engine: Path) -> None:
    with pytest.raises(EngineError, match="has no int8 graph; `arthur engines build tiny` makes one"):
        compare_graphs(open_folder(tiny_engine), "int8", threads=1)


def test_building_an_unknown_engine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="neither a folder nor one of"):
        build("nothing", "int8", into=tmp_path, threads=1)


def flat(pixels: Pixels) -> Vectors:
    rows = pixels.reshape(len(pixels), -1).astype(np.float32) - 128
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_a_graph_equals_itself() -> None:
    found = compare("int8", flat, flat, pictures=PICTURES, altered=altered(PICTURES))
    assert (found.pictures, found.same_nearest, found.passed) == (12, 1.0, True)
    assert found.cosine == pytest.approx(1, abs=1e-6)


def test_a_graph_that_confuses_pictures_fails() -> None:
    def confused(pixels: Pixels) -> Vectors:
        return flat(pixels[..., ::-1] if len(pixels) > 1 else pixels)

    found = compare("int8", confused, flat, pictures=PICTURES, altered=altered(PICTURES))
    assert (found.passed, found.cosine < 0.99) == (False, True)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
@pytest.mark.parametrize("name", ["arthur-mini", "clip", "mobileclip"])
def test_a_row_alone_equals_the_row_of_a_batch(tmp_path: Path, name: str, precision: Variant) -> None:
    folder = find_folder(name) if name == "arthur-mini" else described(name, tmp_path)
    run, pictures = open_runner(folder, precision, threads=1).run, drawn(folder.facts.side, count=8)
    alone = np.concatenate([run(picture[None]) for picture in pictures])
    assert distances(alone, run(pictures)).max() <= FARTHEST_ROW


def described(name: str, into: Path) -> EngineFolder:
    """The golden engine of that name with an int8 graph."""
    if name == "clip":
        return export_engine(local_materials(GOLDEN / name), into=into / name)
    folder = Path(shutil.copytree(GOLDEN / name, into / name))
    assert quantise(folder / "image.onnx", folder / "image.int8.onnx")
    facts = open_folder(folder).facts
    image = facts.image.model_copy(update={"int8": GraphFile(file="image.int8.onnx")})
    return EngineFolder(folder, facts.model_copy(update={"image": image}))


def test_vectors_that_move_a_little_among_others_are_found() -> None:
    def crowded(pixels: Pixels) -> Vectors:
        vectors = flat(pixels)
        moved = vectors + (0.06 * np.roll(vectors, 1, axis=1) if len(pixels) > 1 else 0)
        return moved / np.linalg.norm(moved, axis=1, keepdims=True)

    found = compare("int8", crowded, flat, pictures=PICTURES, altered=altered(PICTURES))
    assert (found.cosine > 0.99, found.same_nearest, found.passed) == (True, 1.0, False)


def test_an_engine_without_matrix_products_has_no_int8(write_engine: Callable[..., Path], tmp_path: Path) -> None:
    graph = Graph("sums")
    values = graph.node("Cast", "pixels", to=onnx.TensorProto.FLOAT)
    rows = graph.reshape(graph.node("ReduceMean", values, axes=[2, 3], keepdims=0), [0, 16])
    folder = write_engine(graph=graph.model(pixels_input(16), graph.unit(rows), dim=16))
    before = sorted(path.name for path in folder.iterdir())
    with pytest.raises(EngineError, match="tiny stays as it was: it has no matrix products"):
        build(str(folder), "int8", into=tmp_path, threads=1)
    assert sorted(path.name for path in folder.iterdir()) == before


def test_a_row_that_depends_on_its_neighbours_is_found() -> None:
    def crowded(pixels: Pixels) -> Vectors:
        return flat(pixels if len(pixels) == 1 else np.roll(pixels, 3, axis=1))

    assert not compare("int8", crowded, flat, pictures=PICTURES, altered=altered(PICTURES)).passed


def test_drawn_pictures_are_the_same_everywhere_and_differ() -> None:
    np.testing.assert_array_equal(PICTURES, drawn(16, count=12))
    assert (PICTURES.shape, PICTURES.dtype) == ((12, 16, 16, 3), np.uint8)
    assert np.abs(flat(PICTURES) @ flat(PICTURES).T - np.eye(12)).max() < 0.9


def test_bench_tells_ratios_to_the_full_graph(engine: EngineFolder) -> None:
    rows = bench(engine, [1, 2], rounds=2, threads=1)
    assert [(row.precision, row.batch) for row in rows][:1] == [("fp32", 1)]
    assert all(row.ratio == 1 for row in rows if row.precision == "fp32")
    assert {row.precision for row in rows} == {"fp32", "bf16", "int8"}


def test_building_leaves_weights_and_texts_as_they_were(engine: EngineFolder, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in engine.path.glob("*.onnx")}
    built, _ = build("clip", "int8", into=tmp_path / "engines", threads=1)
    assert before["text.onnx"] == (built.path / "text.onnx").read_bytes()
    assert before["image.onnx"] == (built.path / "image.onnx").read_bytes()
    assert not list((tmp_path / "engines").glob(".*"))
