"""Claims of `arthur backup` and `arthur restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def test_a_restored_catalogue_recognizes_what_was_enrolled(arthur: Any, shelf: Path) -> None:
    arthur("import", shelf)
    (written,) = arthur("backup", "kept", "--json").json
    assert (written["rows"]["views"], written["pictures"]) == (6, 6)
    assert arthur("restore", "kept", "--data", "new").out.startswith("restored: 6 views up to sequence 6 in ")
    done = arthur("match", shelf / "a1/e3.png", "--data", "new", "--json")
    assert done.json[0]["matches"][0]["entry_id"] == "e3"


def test_a_second_backup_says_that_nothing_was_new(arthur: Any, shelf: Path) -> None:
    arthur("import", shelf)
    arthur("backup", "kept")
    assert arthur("backup", "kept").out.endswith("; 0.0 MB were new\n")


def test_damage_is_status_1_with_one_line(arthur: Any, shelf: Path, tmp_path: Path) -> None:
    arthur("import", shelf)
    arthur("backup", "kept")
    assert arthur("restore", "kept", "--check").out.startswith("sound: 6 views")
    next((tmp_path / "kept" / "objects").rglob("*/*")).write_bytes(b"")
    for words in (["--check"], ["--data", "new"]):
        done = arthur("restore", "kept", *words)
        assert (done.status, done.out, done.err.count("\n")) == (1, "", 1)
        assert "the backup is damaged: objects/" in done.err
    assert not (tmp_path / "new").exists()


def test_a_folder_in_use_is_status_1(arthur: Any, shelf: Path) -> None:
    arthur("import", shelf)
    arthur("backup", "kept")
    done = arthur("restore", "kept")
    assert (done.status, done.err) == (1, "arthur: the database holds a catalogue already: name an empty one\n")


def test_a_backup_of_no_catalogue_is_status_2_and_makes_nothing(arthur: Any, tmp_path: Path) -> None:
    done = arthur("backup", "kept", "--data", "missing")
    assert (done.status, "there is no catalogue" in done.err) == (2, True)
    assert not (tmp_path / "kept").exists()
    assert not (tmp_path / "missing").exists()


def test_a_place_without_a_backup_is_status_1(arthur: Any, tmp_path: Path) -> None:
    assert "there is no backup" in arthur("restore", "missing", "--data", "new").err
    (tmp_path / "empty").mkdir()
    done = arthur("restore", "empty", "--data", "new")
    assert (done.status, "never finished" in done.err) == (1, True)
