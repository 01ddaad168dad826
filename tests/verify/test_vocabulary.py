"""The vocabulary that ships is whole, is part of the fingerprint, and its codes keep patches alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from arthur.errors import BadRequest, StoreError
from arthur.verify.planes import PlaneVerifier
from arthur.verify.vocabulary import SHIPPED, Vocabulary


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary()


@pytest.fixture(scope="module")
def patches(vocabulary: Vocabulary) -> NDArray[np.int8]:
    histograms = np.random.default_rng(3).gamma(0.5, 40, (400, 128)).clip(0, 255).astype(np.uint8)
    return vocabulary.describe(histograms)


def damaged(folder: Path, *, at: int) -> Path:
    data = bytearray(SHIPPED.read_bytes())
    data[at] ^= 1
    path = folder / "vocabulary.safetensors"
    path.write_bytes(data)
    return path


def test_patches_are_unit_vectors(patches: NDArray[np.int8]) -> None:
    assert np.allclose(np.linalg.norm(patches.astype(float), axis=1), 160, rtol=0.03)


def test_a_code_stands_for_nearly_the_same_patch(vocabulary: Vocabulary, patches: NDArray[np.int8]) -> None:
    back = vocabulary.decode(vocabulary.code(patches)).astype(float)
    cosines = (
        (back * patches).sum(axis=1) / np.linalg.norm(back, axis=1) / np.linalg.norm(patches.astype(float), axis=1)
    )
    assert cosines.min() > 0.9
    assert cosines.mean() > 0.97


def test_the_first_word_does_not_depend_on_how_many_are_wanted(
    vocabulary: Vocabulary, patches: NDArray[np.int8]
) -> None:
    assert (vocabulary.words(patches, 4)[:, :1] == vocabulary.words(patches, 1)).all()


def test_signatures_of_one_word_do_not_depend_on_the_others(vocabulary: Vocabulary, patches: NDArray[np.int8]) -> None:
    words = vocabulary.words(patches, 3)
    assert (vocabulary.signatures(patches, words)[:, 1:2] == vocabulary.signatures(patches, words[:, 1:2])).all()


def test_words_are_used_evenly(vocabulary: Vocabulary, patches: NDArray[np.int8]) -> None:
    assert len(np.unique(vocabulary.words(patches, 1))) > 100


def test_rows_of_another_width_are_refused(vocabulary: Vocabulary) -> None:
    with pytest.raises(BadRequest):
        vocabulary.words(np.zeros((3, 63), np.int8), 1)
    with pytest.raises(BadRequest):
        vocabulary.words(np.zeros((3, 64), np.int8), 0)


def test_nothing_has_no_words(vocabulary: Vocabulary) -> None:
    assert vocabulary.words(np.zeros((0, 64), np.int8), 4).shape == (0, 4)
    assert vocabulary.signatures(np.zeros((0, 64), np.int8), np.zeros((0, 4), np.uint16)).shape == (0, 4)


def test_the_fingerprint_changes_with_the_vocabulary(tmp_path: Path) -> None:
    other = Vocabulary(damaged(tmp_path, at=-1))
    assert PlaneVerifier(other).fingerprint != PlaneVerifier().fingerprint
    assert PlaneVerifier().fingerprint == PlaneVerifier().fingerprint


def test_a_cut_or_missing_file_is_an_error_of_ours(tmp_path: Path) -> None:
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(SHIPPED.read_bytes()[:-100])
    for path in (cut, tmp_path / "missing.safetensors"):
        with pytest.raises(StoreError):
            Vocabulary(path)
