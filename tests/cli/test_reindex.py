"""Moving to another engine from the command line: what is told, what is kept, and what is refused."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from arthur.jobs import announcing, changing
from tests.conftest import tiny_graph


@pytest.fixture(autouse=True)
def no_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is waited for."""
    monkeypatch.setattr(announcing, "WAITS", announcing.Waits(notice_s=0.0))


@pytest.fixture
def other(write_engine: Callable[..., Path]) -> Path:
    """Another engine."""
    return write_engine("other", graph=tiny_graph(seed=2))


@pytest.fixture
def filled(arthur: Any, shelf: Path) -> Any:
    """The command line over a catalogue of six pictures."""
    assert arthur("import", shelf).status == 0
    return arthur


def engine(arthur: Any) -> str:
    return str(arthur("status", "--json").json[0]["engine"]).partition("@")[0]


def refused(done: Any) -> str:
    """Return the one line with which a command was refused as misused."""
    assert (done.status, done.out) == (2, "")
    told = [line for line in done.err.splitlines() if line.startswith("arthur: ")]
    assert len(told) == 1
    return str(told[0])


def test_a_change_is_made_ready_and_reported_but_not_made_unasked(filled: Any, other: Path, tmp_path: Path) -> None:
    done = filled("reindex", "--engine", other, "--shadow", 6, "--report", tmp_path / "report", "--json").json[0]
    assert (done["embedded"], done["from_thumbnails"], done["views"], done["switched"]) == (6, 6, 6, False)
    assert engine(filled) == "tiny"
    told = orjson.loads((tmp_path / "report" / "flips.json").read_bytes())
    assert told == done["report"]
    assert (told["photos"], sum(told["changes"].values())) == (6, 6)
    assert pl.read_parquet(tmp_path / "report" / "flips.parquet").height == 6


def test_originals_are_taken_before_thumbnails(
    arthur: Any, shelf: Path, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arthur("import", shelf / "a0", "--artist", "a0")
    monkeypatch.setenv("ARTHUR_KEEP_ORIGINALS", "true")
    arthur("import", shelf / "a1", "--artist", "a1")
    done = arthur("reindex", "--engine", other, "--shadow", 0, "--json").json[0]
    assert (done["from_originals"], done["from_thumbnails"]) == (3, 3)


def test_own_photos_are_asked(filled: Any, other: Path, shelf: Path) -> None:
    done = filled("reindex", "--engine", other, "--photos", shelf, "--json").json[0]
    assert (done["report"]["photos"], done["report"]["known"]) == (6, 0)


def test_a_switch_goes_forward_and_back(filled: Any, other: Path) -> None:
    assert filled("reindex", "--engine", other, "--switch", "--shadow", 0).status == 0
    assert engine(filled) == "other"
    assert filled("reindex", "--rollback").status == 0
    assert engine(filled) == "tiny"


def test_matches_before_and_after_find_the_same(filled: Any, other: Path, shelf: Path) -> None:
    found = []
    for words in ((), ("reindex", "--engine", other, "--switch", "--shadow", 0)):
        _ = words and filled(*words)
        answer = filled("match", shelf / "a1" / "e3.png", "--json").json[0]
        found.append((answer["engine"].partition("@")[0], answer["matches"][0]["entry_id"]))
    assert found == [("tiny", "e3"), ("other", "e3")]


def test_the_engine_in_force_is_only_reindexed(filled: Any, tiny_engine: Path) -> None:
    assert filled("reindex", "--engine", tiny_engine, "--json").json == [{"views": 6}]


@pytest.mark.parametrize(("gone", "views"), [((), 6), (("thumbnails",), 5)])
def test_what_the_engine_in_force_lacks_is_embedded_where_there_is_a_picture(
    filled: Any, tmp_path: Path, gone: tuple[str, ...], views: int
) -> None:
    with closing(sqlite3.connect(tmp_path / "data" / "catalog.db")) as database, database:
        database.execute("DELETE FROM embeddings WHERE key = 2")
    for folder in gone:
        shutil.rmtree(tmp_path / "data" / "blobs" / folder)
    done = filled("reindex", "--json")
    assert done.json == [{"views": views}]
    assert ("was never embedded" in done.err) == bool(gone)


def test_pruned_vectors_are_gone_and_there_is_no_way_back(filled: Any, other: Path) -> None:
    filled("reindex", "--engine", other, "--switch", "--shadow", 0)
    assert "--yes" in refused(filled("reindex", "--prune"))
    assert filled("reindex", "--prune", "--yes", "--json").json == [{"engines": 1, "vectors": 6}]
    assert "no engine to go back to" in refused(filled("reindex", "--rollback"))
    assert engine(filled) == "other"


def test_a_new_engine_is_calibrated_before_it_is_in_force(filled: Any, other: Path) -> None:
    filled("reindex", "--engine", other, "--calibrate", 20, "--shadow", 0, "--switch")
    assert filled("status", "--json").json[0]["calibrated"]


def test_an_unknown_engine_is_refused(filled: Any) -> None:
    assert "neither a folder nor one of" in refused(filled("reindex", "--engine", "nowhere"))
    assert engine(filled) == "tiny"


def test_an_engine_without_its_graph_is_refused(filled: Any, other: Path) -> None:
    (other / "image.onnx").unlink()
    assert "image.onnx is not there" in refused(filled("reindex", "--engine", other))


def test_an_engine_of_another_length_than_it_promises_is_refused(filled: Any, other: Path) -> None:
    facts = other / "engine.toml"
    facts.write_text(facts.read_text().replace("dim = 8", "dim = 9"))
    assert "engine.toml promises" in refused(filled("reindex", "--engine", other))
    assert engine(filled) == "tiny"


def test_views_without_a_picture_are_refused(
    arthur: Any, shelf: Path, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARTHUR_THUMBNAIL_SIDE", "0")
    arthur("import", shelf)
    monkeypatch.setattr(changing, "FRESH", timedelta(0))
    said = refused(arthur("reindex", "--engine", other, "--switch"))
    assert "cannot embed 6 of the views" in said
    assert "neither an original nor a thumbnail is kept" in said
    assert engine(arthur) == "tiny"


def test_a_rollback_to_an_engine_that_is_gone_is_refused(filled: Any, other: Path, tiny_engine: Path) -> None:
    filled("reindex", "--engine", other, "--switch", "--shadow", 0)
    shutil.rmtree(tiny_engine)
    said = refused(filled("reindex", "--rollback"))
    assert "is not on this machine" in said
    assert str(tiny_engine) in said
    assert engine(filled) == "other"


def test_a_catalogue_whose_engine_is_gone_says_where_it_was(filled: Any, other: Path) -> None:
    filled("reindex", "--engine", other, "--switch", "--shadow", 0)
    other.rename(other.with_name("moved"))
    assert str(other) in refused(filled("status"))
    other.with_name("moved").rename(other)
    assert engine(filled) == "other"


def test_an_empty_catalogue_has_nothing_to_move(arthur: Any, other: Path) -> None:
    assert "has no views" in refused(arthur("reindex", "--engine", other))


def test_what_excludes_each_other_is_refused(filled: Any, other: Path) -> None:
    assert "exclude each other" in refused(filled("reindex", "--engine", other, "--rollback"))


def test_a_folder_without_photos_is_refused(filled: Any, other: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "holds no photos" in refused(filled("reindex", "--engine", other, "--photos", tmp_path / "empty"))
