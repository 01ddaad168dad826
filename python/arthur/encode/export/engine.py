"""Makes a whole engine folder from weights: graphs, golden vectors, and an `engine.toml` with their hashes."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx

from arthur.encode.export.architectures import architecture
from arthur.encode.export.materials import Materials
from arthur.encode.export.quantise import quantise
from arthur.encode.export.weights import Weights
from arthur.encode.folder import EngineFolder, open_folder, sha256_of
from arthur.encode.golden import Golden, GoldenTexts, picture, save_golden, save_golden_texts
from arthur.encode.onnx import OnnxEncoder
from arthur.encode.precision import compare
from arthur.encode.runners import distance, open_runner
from arthur.encode.samples import altered, drawn
from arthur.encode.spec import BinaryFile, EngineFile, GoldenFile, GraphFile, Variant, engine_file_text
from arthur.encode.text import TextTower
from arthur.errors import Conflict, EngineError
from arthur.types import Pixels

_GOLDEN = GoldenFile(file="golden.npz")
_GOLDEN_TEXTS = GoldenFile(file="golden.text.npz")
_SENTENCES = ("a harbour at night, oil on canvas", "Portrait of a WOMAN in red", "Stillleben mit Äpfeln, 1901", "花")
_INT8 = "image.int8.onnx"
_BOTH: tuple[Variant, Variant] = ("int8", "fp32")
_DRAWN = 16
"""Pictures on which the quantised graph is compared; `arthur engines build` takes more, or the operator's own."""
_INLINE_MAX = 2**31 - 2**24
"""Bytes of weights that go into an ONNX file, which may not reach 2 GiB."""


def export_engine(materials: Materials, *, into: Path, inline_max: int = _INLINE_MAX) -> EngineFolder:
    """Build an engine from its materials and put it at `into`, whole or not at all.

    Weights of more than `inline_max` bytes are put beside their graph.

    The golden vectors are those that the full graph gives here: they find a graph, runtime or machine that computes
    something else later, and decide whether the quantised graph is near enough to be kept. They cannot find an error
    of the export itself; that is what the comparison with `transformers` is for.

    Raises:
        ConfigError: the facts do not describe an engine that can be built.
        EngineError: the weights do not fit or are not those with the given hash, or the folder cannot be written.
    """
    facts, weights = materials.facts, materials.weights
    source = facts.source
    found = _hashed(weights)
    if source and source.sha256 and source.sha256 != found:
        raise EngineError(f"engine {facts.name}: SHA-256 of {weights} is {found}, not {source.sha256}")
    if source:
        facts = facts.model_copy(update={"source": source.model_copy(update={"sha256": found})})
    try:
        with replaced(into) as folder:
            if materials.tokenizer and facts.text and facts.text.tokenizer:
                shutil.copyfile(materials.tokenizer, folder / facts.text.tokenizer)
            _write(facts, Weights(weights), folder, inline_max=inline_max)
    except OSError as error:
        raise EngineError(f"{into} cannot be written: {error.strerror}") from error
    return open_folder(into)


def _write(facts: EngineFile, weights: Weights, folder: Path, *, inline_max: int) -> None:
    """Write every file of the engine into an empty folder."""
    build = architecture(facts)
    image = _save(build.image(weights, facts), folder / facts.image.file, inline_max=inline_max)
    facts = facts.model_copy(update={"golden": _GOLDEN, "image": facts.image.model_copy(update=image)})
    if facts.text and build.text:
        text = _save(build.text(weights, facts), folder / facts.text.file, inline_max=inline_max)
        facts = facts.model_copy(update={"text": facts.text.model_copy(update=text)})
        facts = _with_golden_texts(facts, folder)
    _write_golden(facts, folder)
    int8 = _quantised(facts, folder)
    facts = facts.model_copy(update={"image": facts.image.model_copy(update={"int8": int8})})
    (folder / "engine.toml").write_text(engine_file_text(facts), encoding="utf-8")


def _save(model: onnx.ModelProto, path: Path, *, inline_max: int) -> dict[str, object]:
    """Write a graph and return the hashes of its files as a change to its table."""
    if sum(len(constant.raw_data) for constant in model.graph.initializer) <= inline_max:
        onnx.save_model(model, path)
        return {"sha256": sha256_of(path), "weights": None}
    beside = path.with_name(f"{path.name}.data")
    onnx.save_model(model, path, save_as_external_data=True, location=beside.name)
    return {"sha256": sha256_of(path), "weights": BinaryFile(file=beside.name, sha256=sha256_of(beside))}


def _write_golden(facts: EngineFile, folder: Path) -> None:
    """Embed the golden pictures with the full graph, which thereby proves that it runs."""
    plain = facts.model_copy(update={"golden": None, "image": facts.image.model_copy(update={"int8": None})})
    encoder = OnnxEncoder(EngineFolder(folder, plain))
    pixels = _golden_pictures(facts.side)
    save_golden(folder / _GOLDEN.file, Golden(pixels, encoder.encode(pixels)))
    encoder.close()


def _with_golden_texts(facts: EngineFile, folder: Path) -> EngineFile:
    """Embed the golden sentences, where the engine has a tokenizer and this machine what reads it."""
    tower = TextTower(EngineFolder(folder, facts))
    try:
        vectors = tower.embed(_SENTENCES)
    except Conflict:
        return facts
    save_golden_texts(folder / _GOLDEN_TEXTS.file, GoldenTexts(_SENTENCES, vectors))
    text = facts.text and facts.text.model_copy(update={"golden": _GOLDEN_TEXTS})
    return facts.model_copy(update={"text": text})


def _quantised(facts: EngineFile, folder: Path) -> GraphFile | None:
    """Write the quantised graph, and keep it if it may stand in for the full one."""
    path = folder / _INT8
    written = quantise(folder / facts.image.file, path)
    graph = GraphFile(file=_INT8, sha256=sha256_of(path))
    whole = facts.model_copy(update={"image": facts.image.model_copy(update={"int8": graph})})
    if written and _near(EngineFolder(folder, whole)):
        return graph
    path.unlink()
    return None


def _near(folder: EngineFolder) -> bool:
    """Whether the quantised graph passes on drawn pictures, and within the tolerance on the golden ones."""
    quantised, full = (open_runner(folder, precision, threads=0) for precision in _BOTH)
    shown = drawn(folder.facts.side, count=_DRAWN)
    found = compare("int8", quantised.run, full.run, pictures=shown, altered=altered(shown))
    return found.passed and distance(quantised, folder) <= _GOLDEN.tolerance


def _golden_pictures(side: int) -> Pixels:
    """Draw four fixed pictures: ramps and disc, the same turned and inverted, and coarse noise."""
    drawn = picture(side)[0]
    coarse = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    places = np.arange(side) * 8 // side
    return np.stack([drawn, np.rot90(drawn), 255 - drawn, coarse[places][:, places]])


def _hashed(weights: Path) -> str:
    """Return the SHA-256 of the weights."""
    try:
        return sha256_of(weights)
    except OSError as error:
        raise EngineError(f"{weights} cannot be read: {error.strerror}") from error


@contextmanager
def replaced(into: Path) -> Iterator[Path]:
    """Give an empty folder that takes the place of `into` when the block ends well, and vanishes when it does not."""
    into.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{into.name}.", dir=into.parent) as scratch:
        fresh, old = Path(scratch) / "new", Path(scratch) / "old"
        fresh.mkdir()
        yield fresh
        if into.exists():
            shutil.move(into, old)
        shutil.move(fresh, into)
