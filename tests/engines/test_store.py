"""Claims about listing, building, pulling and verifying engines; a folder stands in for the hub."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers

from arthur.encode import open_encoder
from arthur.encode.export.engine import export_engine
from arthur.encode.export.hub import hub_download
from arthur.encode.export.materials import Download, engine_name, local_materials
from arthur.encode.folder import open_folder
from arthur.encode.golden import Golden, load_golden, save_golden
from arthur.encode.spec import Source
from arthur.encode.store import list_engines, pull, verify
from arthur.errors import ConfigError, EngineError, FetchError, NotFound


@pytest.fixture
def hub(clip_folder: Path) -> Download:
    """A hub with one repository, `someone/CLIP_Tiny`."""

    def download(source: Source, file: str) -> Path:
        path = clip_folder / file
        if source.repository != "someone/CLIP_Tiny" or not path.is_file():
            raise NotFound(f"{source.repository}/{file} does not exist")
        return path

    return download


def change(weights: Path, factor: float) -> None:
    tensors = load_file(weights)
    tensors["visual_projection.weight"] = tensors["visual_projection.weight"] * np.float32(factor)
    save_file(tensors, weights)


def test_an_exported_engine_gives_the_vectors_of_transformers(clip_folder: Path, tmp_path: Path) -> None:
    export_engine(local_materials(clip_folder, name="mine"), into=tmp_path / "engines" / "mine")
    golden = np.load(clip_folder / "golden.npz")
    encoder = open_encoder("mine", threads=1, folders=(tmp_path / "engines",))
    vectors = encoder.encode(golden["pixels"])
    limit = 1e-5 if encoder.spec.variant == "fp32" else 0.1
    encoder.close()
    np.testing.assert_allclose(vectors, golden["image"], atol=limit)


def test_an_exported_engine_records_the_hash_of_each_graph(clip_folder: Path, tmp_path: Path) -> None:
    facts = export_engine(local_materials(clip_folder, name="mine"), into=tmp_path / "mine").facts
    assert all(graph.sha256 for graph in (facts.image, facts.text))
    assert facts.golden is not None


def test_weights_too_large_for_a_graph_lie_beside_it(clip_folder: Path, tmp_path: Path) -> None:
    inside = export_engine(local_materials(clip_folder), into=tmp_path / "inside")
    beside = export_engine(local_materials(clip_folder), into=tmp_path / "beside", inline_max=10_000)
    assert beside.facts.image.weights.file == "image.onnx.data"
    assert (inside.path / "image.onnx").stat().st_size > 5 * (beside.path / "image.onnx").stat().st_size
    assert all(one.passed for one in verify(str(beside.path), threads=1))
    golden = [load_golden(one.path / "golden.npz", facts=one.facts) for one in (inside, beside)]
    np.testing.assert_array_equal(golden[0].vectors, golden[1].vectors)


def test_weights_beside_a_graph_are_part_of_hash_and_fingerprint(clip_folder: Path, tmp_path: Path) -> None:
    engine = export_engine(local_materials(clip_folder), into=tmp_path / "beside", inline_max=10_000)
    before = engine.spec().fingerprint
    weights = engine.path / "image.onnx.data"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x7f")
    assert engine.spec().fingerprint != before
    with pytest.raises(EngineError, match=r"SHA-256 of .*image\.onnx\.data"):
        open_encoder(str(engine.path), threads=1)


def test_a_failed_export_leaves_the_engine_as_it_was(clip_folder: Path, tmp_path: Path) -> None:
    into = tmp_path / "engines" / "mine"
    before = export_engine(local_materials(clip_folder, name="mine"), into=into).spec()
    change(clip_folder / "model.safetensors", np.nan)
    with pytest.raises(EngineError, match="not finite"):
        export_engine(local_materials(clip_folder, name="mine"), into=into)
    assert open_folder(into).spec() == before
    assert [path.name for path in into.parent.iterdir()] == ["mine"]


def test_equal_weights_make_equal_fingerprints(clip_folder: Path, tmp_path: Path) -> None:
    made = [export_engine(local_materials(clip_folder), into=tmp_path / place).spec() for place in ("one", "two")]
    assert made[0].fingerprint == made[1].fingerprint


def test_an_exported_engine_can_be_exported_again(clip_folder: Path, tmp_path: Path) -> None:
    first = export_engine(local_materials(clip_folder, name="mine"), into=tmp_path / "mine")
    shutil.copy(clip_folder / "model.safetensors", first.path)
    again = export_engine(local_materials(first.path), into=tmp_path / "again")
    assert again.spec() == first.spec()


def test_export_into_a_place_that_cannot_be_written_is_clear(clip_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError, match="cannot be written"):
        export_engine(local_materials(clip_folder), into=tmp_path / "file" / "mine")


def test_missing_weights_are_clear(clip_folder: Path, tmp_path: Path) -> None:
    (clip_folder / "model.safetensors").unlink()
    with pytest.raises(EngineError, match=r"model\.safetensors cannot be read: No such file"):
        export_engine(local_materials(clip_folder), into=tmp_path / "mine")


def test_a_repository_is_pulled_and_then_listed(hub: Download, tmp_path: Path) -> None:
    pulled = pull("someone/CLIP_Tiny", into=tmp_path / "engines", download=hub)
    listed = {engine.name: engine for engine in list_engines((tmp_path / "engines",))}
    assert pulled.path == tmp_path / "engines" / "clip_tiny"
    assert (listed["clip-tiny"].ready, listed["clip-tiny"].source) == (True, "someone/CLIP_Tiny")
    assert not listed["clip-vit-b32"].ready


def test_a_folder_is_pulled_like_a_repository(clip_folder: Path, hub: Download, tmp_path: Path) -> None:
    written = write_tokenizer(clip_folder)
    pulled = pull(str(clip_folder), into=tmp_path / "engines", download=hub)
    assert (pulled.ready, pulled.facts.text.tokenizer) == (True, "tokenizer.json")
    assert (pulled.path / "tokenizer.json").read_bytes() == written.read_bytes()
    assert [one.variant for one in verify(str(pulled.path), threads=1)][-1] == "text"


def test_a_broken_tokenizer_is_refused(clip_folder: Path, hub: Download, tmp_path: Path) -> None:
    (clip_folder / "tokenizer.json").write_text("{}")
    with pytest.raises(EngineError, match=r"tokenizer\.json is not a tokenizer"):
        pull(str(clip_folder), into=tmp_path / "engines", download=hub)
    assert not list((tmp_path / "engines").iterdir())


def write_tokenizer(folder: Path) -> Path:
    """Write one that knows a few words, and splits at spaces."""
    made = Tokenizer(models.WordLevel({"a": 5, "red": 6, "WOMAN": 7, "<unk>": 4}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.save(str(folder / "tokenizer.json"))
    return folder / "tokenizer.json"


def test_weights_that_changed_since_the_first_pull_are_refused(
    clip_folder: Path, hub: Download, tmp_path: Path
) -> None:
    first = pull("someone/CLIP_Tiny", into=tmp_path / "engines", download=hub)
    assert pull("someone/CLIP_Tiny", into=tmp_path / "engines", download=hub).spec() == first.spec()
    change(clip_folder / "model.safetensors", 2)
    with pytest.raises(EngineError, match=r"SHA-256 of .*model\.safetensors is [0-9a-f]{64}, not [0-9a-f]{64}"):
        pull("someone/CLIP_Tiny", into=tmp_path / "engines", download=hub)


def test_a_packaged_engine_is_not_built_from_other_weights(clip_folder: Path, tmp_path: Path) -> None:
    def download(_: Source, file: str) -> Path:
        return clip_folder / ("model.safetensors" if file.endswith(".safetensors") else file)

    (clip_folder / "tokenizer.json").write_text("{}")

    with pytest.raises(EngineError, match=r"SHA-256 of .* is [0-9a-f]{64}, not e6d1bd77"):
        pull("clip-vit-b32", into=tmp_path / "engines", download=download)
    with pytest.raises(EngineError, match=r"encoder\.layers is 32 wide, which 12 heads do not divide"):
        pull("clip-vit-b16", into=tmp_path / "engines", download=download)


def test_torch_is_asked_for_before_anything_is_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    asked: list[str] = []

    def download(_: Source, file: str) -> Path:
        asked.append(file)
        return tmp_path

    with pytest.raises(ConfigError, match="engine mobileclip2-s0 is built with torch and timm"):
        pull("mobileclip2-s0", into=tmp_path / "engines", download=download)
    assert not asked


@pytest.mark.parametrize(
    ("reference", "error", "message"),
    [
        ("no-such-engine", ConfigError, "neither a folder nor one of: .*; nor is it a folder or repository"),
        ("a/b/c", ConfigError, "neither a folder nor a repository of the form owner/name"),
        ("someone/other", NotFound, "someone/other/config.json does not exist"),
    ],
)
def test_what_cannot_be_pulled_is_named(
    hub: Download, tmp_path: Path, reference: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        pull(reference, into=tmp_path, download=hub)


def test_offline_the_hub_answers_from_its_cache_alone() -> None:
    source = Source(repository="someone/never-downloaded")
    with pytest.raises(FetchError, match="is not in the local Hugging Face cache, and downloads are off"):
        hub_download(offline=True)(source, "config.json")


def test_verify_passes_a_sound_engine(tiny_engine: Path) -> None:
    assert [(one.variant, one.passed) for one in verify(str(tiny_engine), threads=1)] == [("fp32", True)]


def test_verify_fails_an_engine_with_other_vectors(tiny_engine: Path) -> None:
    path = tiny_engine / "golden.npz"
    golden = load_golden(path, facts=open_folder(tiny_engine).facts)
    save_golden(path, Golden(golden.pixels, golden.vectors[::-1]))
    [result] = verify(str(tiny_engine), threads=1)
    assert not result.passed
    assert result.distance > result.tolerance


def test_verify_needs_golden_vectors(write_engine: Callable[..., Path]) -> None:
    with pytest.raises(EngineError, match="has no golden vectors"):
        verify(str(write_engine()), threads=1)


def test_titles_become_names() -> None:
    assert engine_name("CLIP-ViT-B-32_laion2B-s34B") == "clip-vit-b-32-laion2b-s34b"
    assert engine_name("__") == "engine"
