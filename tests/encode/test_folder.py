"""Claims about engine folders: lookup and fingerprint."""

from collections.abc import Callable
from pathlib import Path

import pytest
from blake3 import blake3

from arthur.encode.folder import EngineFolder, engine_folders, find_folder, open_folder, packaged_engines
from arthur.errors import ConfigError, EngineError

WriteEngine = Callable[..., Path]


def fingerprint(folder: Path, old: str = "", new: str = "") -> str:
    toml = folder / "engine.toml"
    toml.write_text(toml.read_text().replace(old, new, 1))
    return open_folder(folder).spec().fingerprint


def test_fingerprint_is_blake3_of_scheme_preprocessing_and_graph(tiny_engine: Path) -> None:
    facts = '{"dim":8,"fit":"stretch","mean":[0.5,0.5,0.5],"side":16,"std":[0.25,0.25,0.25]}'
    graph = (tiny_engine / "image.onnx").read_bytes()
    expected = blake3(b"arthur engine fingerprint 1\n" + facts.encode() + b"\n" + graph).hexdigest()
    assert fingerprint(tiny_engine) == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [("side = 16", "side = 17"), ("stretch", "crop"), ("dim = 8", "dim = 9"), ("[0.5,", "[0.4,"), ("[0.25,", "[0.2,")],
)
def test_fingerprint_changes_with_each_preprocessing_fact(tiny_engine: Path, old: str, new: str) -> None:
    assert fingerprint(tiny_engine) != fingerprint(tiny_engine, old, new)


def test_fingerprint_changes_with_one_byte_of_the_graph(tiny_engine: Path) -> None:
    before = fingerprint(tiny_engine)
    graph = tiny_engine / "image.onnx"
    graph.write_bytes(graph.read_bytes()[:-1] + b"\x7f")
    assert fingerprint(tiny_engine) != before


def test_fingerprint_survives_renaming_the_engine(tiny_engine: Path) -> None:
    assert fingerprint(tiny_engine) == fingerprint(tiny_engine, 'name = "tiny"', 'name = "small"')


def test_an_engine_is_found_by_name_and_by_path(write_engine: WriteEngine) -> None:
    folder = write_engine("my-engine")
    assert find_folder("my-engine", folders=(folder.parent,)).path == folder
    assert find_folder(str(folder)).path == folder


def test_the_first_folder_hides_engines_of_the_same_name(write_engine: WriteEngine, tmp_path: Path) -> None:
    folder = write_engine("my-engine")
    other = tmp_path / "other" / folder.name
    other.mkdir(parents=True)
    (other / "engine.toml").write_bytes((folder / "engine.toml").read_bytes())
    found = [engine.path for engine in engine_folders((other.parent, folder.parent)) if engine.path.name == folder.name]
    assert found == [other]


def test_an_unknown_engine_is_answered_with_the_known_ones(write_engine: WriteEngine) -> None:
    folder = write_engine("my-engine")
    with pytest.raises(ConfigError, match=r"'none-such' is neither a folder nor one of: .*my-engine"):
        find_folder("none-such", folders=(folder.parent,))


def test_every_packaged_engine_is_well_formed() -> None:
    names = {engine.facts.name for engine in engine_folders(())}
    assert names >= {"clip-vit-b32", "clip-vit-b16", "clip-vit-l14"}
    assert all(engine.path.name == engine.facts.folder_name for engine in engine_folders(()))
    assert packaged_engines().is_dir()


def test_a_missing_graph_tells_how_to_bring_it(write_engine: WriteEngine) -> None:
    folder = write_engine()
    (folder / "image.onnx").unlink()
    engine: EngineFolder = open_folder(folder)
    assert not engine.ready
    with pytest.raises(EngineError, match="`arthur engines pull` brings it"):
        engine.spec()
