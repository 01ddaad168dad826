"""Claims about `arthur search`."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

GOLDEN = Path(__file__).parents[1] / "engines" / "golden"


@pytest.fixture
def reading(arthur: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run commands with an engine that reads a few words."""
    weights = shutil.copytree(GOLDEN / "clip", tmp_path / "reader")
    tokenizer = Tokenizer(models.WordLevel({"red": 5, "boat": 6, "<unk>": 4}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(weights / "tokenizer.json"))
    assert arthur("engines", "pull", weights).status == 0
    monkeypatch.setenv("ARTHUR_ENGINE", "reader")
    return arthur


def test_search_by_text(reading: Callable[..., Any], shelf: Path) -> None:
    reading("import", shelf)
    done = reading("search", "red boat", "-k", 4, "--json")
    scores = [hit["score"] for hit in done.json[0]["hits"]]
    assert (done.status, len(scores)) == (0, 4)
    assert scores == sorted(scores, reverse=True)
    assert reading("search", "boat", "-k", 4, "--json").json[0]["hits"][0]["score"] != scores[0]


def test_words_that_are_not_wanted_count_against(reading: Callable[..., Any], shelf: Path) -> None:
    reading("import", shelf)
    wanted = reading("search", "red", "--text-weight", "2", "-k", 4, "--json").json[0]["hits"]
    against = reading("search", "--without", "red", "-k", 6, "--json").json[0]["hits"]
    assert against[-1]["entry_id"] == wanted[0]["entry_id"]
    assert against[-1]["score"] == pytest.approx(-wanted[0]["score"], abs=1e-6)


def test_search_by_picture(arthur: Any, shelf: Any) -> None:
    arthur("import", shelf)
    done = arthur("search", "--image", shelf / "a0/e2.png", "-k", 2, "--json")
    assert (done.status, done.json[0]["hits"][0]["entry_id"]) == (0, "e2")
    assert "a0 / e2 / main" in arthur("search", "--image", shelf / "a0/e2.png").out.splitlines()[0]


def test_search_by_text_needs_an_engine_that_reads(arthur: Any) -> None:
    done = arthur("search", "a red boat")
    assert (done.status, "the engine tiny has no text tower" in done.err) == (1, True)


def test_search_for_nothing_is_wrong_usage(arthur: Any) -> None:
    done = arthur("search")
    assert (done.status, "at least one text or picture" in done.err) == (2, True)
