"""Claims about text towers: what a sentence becomes, and what is refused."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from arthur.encode.export.engine import export_engine
from arthur.encode.export.materials import local_materials
from arthur.encode.folder import open_folder
from arthur.encode.golden import GoldenTexts, load_golden_texts, save_golden_texts
from arthur.encode.spec import EngineFile
from arthur.encode.store import verify
from arthur.encode.text import TextTower
from arthur.errors import BadRequest, Conflict, EngineError, EngineMismatch

GOLDEN = Path(__file__).parents[1] / "engines" / "golden"
WORDS = {"a": 5, "red": 6, "boat": 7, "Boat": 8, "<end>": 63, "<unk>": 4}


def tokenizer(path: Path, **other: int) -> None:
    """Write one that knows a few words, and splits at spaces."""
    made = Tokenizer(models.WordLevel({**WORDS, **other}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.save(str(path))


@pytest.fixture
def reader(tmp_path: Path) -> Callable[..., TextTower]:
    """Build the golden engine of that name with a tokenizer: `reader("clip", end_token=63)`."""

    def build(name: str = "clip", **text: object) -> TextTower:
        folder = Path(shutil.copytree(GOLDEN / name, tmp_path / name))
        tokenizer(folder / "tokenizer.json")
        materials = local_materials(folder)
        facts = materials.facts.model_copy(update={"text": materials.facts.text.model_copy(update=text)})
        built = export_engine(type(materials)(facts, materials.weights, materials.tokenizer), into=tmp_path / "built")
        return TextTower(built, threads=1)

    return build


def expected(folder: Path, tokens: Sequence[int], facts: EngineFile) -> np.ndarray:
    import onnxruntime as ort

    row = np.array([[*tokens, *[facts.text.pad] * (facts.text.context - len(tokens))]], np.int64)
    session = ort.InferenceSession(folder / "text.onnx", providers=["CPUExecutionProvider"])
    return session.run(None, {"tokens": row})[0]


@pytest.mark.parametrize(
    ("name", "text", "sentence", "tokens"),
    [
        ("clip", {"end_token": 63}, "a red boat", [5, 6, 7, 63]),
        ("clip", {"end_token": 63, "lowercase": True}, "a red Boat", [5, 6, 7, 63]),
        ("clip", {"end_token": 63}, "a red Boat", [5, 6, 8, 63]),
        ("clip", {"end_token": 63}, "a " * 40, [5] * 11 + [63]),
        ("siglip", {"end_token": 1, "pad": 3}, "a unicorn", [5, 4, 1]),
    ],
    ids=["words", "lower", "capitals", "long", "siglip"],
)
def test_a_sentence_is_cut_ended_and_padded(
    reader: Callable[..., TextTower],
    tmp_path: Path,
    name: str,
    text: dict[str, object],
    sentence: str,
    tokens: list[int],
) -> None:
    vectors = reader(name, **text).embed([sentence])
    built = tmp_path / "built"
    np.testing.assert_allclose(vectors, expected(built, tokens, open_folder(built).facts), atol=1e-5)


def test_golden_sentences_find_another_tokenizer(reader: Callable[..., TextTower], tmp_path: Path) -> None:
    tower, path = reader(end_token=63), tmp_path / "built" / "tokenizer.json"
    tokenizer(path, **{"<unk>": 9})
    with pytest.raises(EngineMismatch, match="engine clip: its vectors of texts differ from the golden ones by"):
        tower.embed(["a boat"])


def test_golden_sentences_find_another_tower(reader: Callable[..., TextTower], tmp_path: Path) -> None:
    tower, path = reader(end_token=63), tmp_path / "built" / "golden.text.npz"
    golden = load_golden_texts(path, facts=open_folder(path.parent).facts)
    save_golden_texts(path, GoldenTexts(golden.texts, golden.vectors[::-1]))
    with pytest.raises(EngineMismatch, match="differ from the golden ones"):
        tower.embed(["a boat"])
    assert [one.passed for one in verify(str(path.parent), threads=1)][-1] is False


@pytest.mark.parametrize("content", [b"", b"PK", {"texts": np.zeros(2)}, {"texts": np.array(["a"])}])
def test_unusable_golden_sentences_are_named(
    reader: Callable[..., TextTower], tmp_path: Path, content: bytes | dict[str, np.ndarray]
) -> None:
    tower, path = reader(), tmp_path / "built" / "golden.text.npz"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.savez(path, **content, vectors=np.zeros((2, 16), np.float32))
    with pytest.raises(EngineError, match=r"golden\.text\.npz holds"):
        tower.embed(["a boat"])


def test_sentences_keep_their_order(reader: Callable[..., TextTower]) -> None:
    tower = reader(end_token=63)
    together = tower.embed(["a boat", "red"])
    np.testing.assert_allclose(together, np.concatenate([tower.embed(["a boat"]), tower.embed(["red"])]), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("text", ["", "  \n", "\ud800"])
def test_what_is_no_sentence_is_refused(tiny_engine: Path, text: str) -> None:
    with pytest.raises(BadRequest, match="must"):
        TextTower(open_folder(tiny_engine)).embed([text])


def test_an_engine_without_text_tower_says_so(tiny_engine: Path) -> None:
    with pytest.raises(Conflict, match="the engine tiny has no text tower, so it cannot search by text"):
        TextTower(open_folder(tiny_engine)).embed(["a boat"])


def test_an_engine_without_tokenizer_says_so(tmp_path: Path) -> None:
    built = export_engine(local_materials(GOLDEN / "clip"), into=tmp_path / "built")
    with pytest.raises(Conflict, match="the engine clip has no tokenizer"):
        TextTower(built).embed(["a boat"])


def test_a_broken_tokenizer_is_one_line(reader: Callable[..., TextTower], tmp_path: Path) -> None:
    tower = reader()
    (tmp_path / "built" / "tokenizer.json").write_text("{}")
    with pytest.raises(EngineError, match=r"engine clip: .*tokenizer\.json is not a tokenizer: "):
        tower.embed(["a boat"])


def test_a_changed_text_tower_is_refused(reader: Callable[..., TextTower], tmp_path: Path) -> None:
    tower = reader()
    (tmp_path / "built" / "text.onnx").write_bytes(b"other")
    with pytest.raises(EngineError, match=r"SHA-256 of .*text\.onnx is"):
        tower.embed(["a boat"])


def test_a_closed_tower_opens_again_when_asked(reader: Callable[..., TextTower]) -> None:
    tower = reader()
    first = tower.embed(["a boat"])
    tower.close()
    tower.close()
    np.testing.assert_array_equal(tower.embed(["a boat"]), first)
