"""A passport says what an engine runs in, and follows from that alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from arthur.encode.folder import open_folder, sha256_of
from arthur.encode.onnx import OnnxEncoder
from arthur.encode.passport import sealed
from arthur.types import Passport


def passport_at(folder: Path) -> Passport:
    passport = OnnxEncoder(open_folder(folder), threads=1).spec.passport
    assert passport is not None
    return passport


def test_it_names_files_precision_runtime_and_device(tiny_engine: Path) -> None:
    passport = passport_at(tiny_engine)
    facts = json.loads(passport.document)
    assert facts["graph_sha256"] == sha256_of(tiny_engine / "image.onnx")
    assert (facts["precision"], facts["weights_sha256"]) == ("fp32", None)
    assert facts["runtime"].startswith("onnxruntime ")
    assert facts["device"]
    assert facts["parity"]["golden_distance"] == pytest.approx(0, abs=1e-6)
    assert passport.source == str(tiny_engine)


def test_an_engine_that_is_moved_keeps_its_passport(tiny_engine: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(tiny_engine, tmp_path / "moved"))
    assert passport_at(moved).id == passport_at(tiny_engine).id


def test_equal_facts_have_equal_ids_and_others_do_not() -> None:
    one, same, other = sealed({"a": 1, "b": 2}), sealed({"b": 2, "a": 1}), sealed({"a": 1, "b": 3})
    assert (one.id, one.document) == (same.id, same.document)
    assert one.id != other.id
