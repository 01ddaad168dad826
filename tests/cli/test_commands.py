import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import polars as pl
import pytest
from typer.main import get_command

from arthur.catalog import open_catalog
from arthur.catalog.schema import HEAD
from arthur.cli import app
from arthur.cli.importing import interruption
from arthur.web.progress import Board

COMMANDS = sorted(get_command(app).commands)


def test_enroll_and_match(arthur: Any, shelf: Any) -> None:
    assert arthur("enroll", shelf / "a0/e0.png", "--artist", "a", "--entry", "e").status == 0
    done = arthur("match", shelf / "a0/e0.png", "--json")
    assert (done.status, done.json[0]["matches"][0]["entry_id"]) == (0, "e")


def test_enroll_names_several_views_by_their_files(arthur: Any, shelf: Any) -> None:
    done = arthur("enroll", shelf / "a0/e0.png", shelf / "a0/e2.png", "--artist", "a", "--entry", "e", "--json")
    assert [row["view"] for row in done.json] == ["a.e.e0", "a.e.e2"]


def test_enroll_keeps_metadata(arthur: Any, shelf: Any) -> None:
    arthur("enroll", shelf / "a0/e0.png", "--artist", "a", "--entry", "e", "--meta", "title=A = B")
    done = arthur("match", shelf / "a0/e0.png", "--json")
    assert done.json[0]["matches"][0]["metadata"] == {"title": "A = B"}


def test_a_picture_that_cannot_be_read_is_status_1(arthur: Any, shelf: Any, tmp_path: Any) -> None:
    (tmp_path / "bad.png").write_bytes(b"no picture")
    done = arthur("enroll", tmp_path / "bad.png", shelf / "a0/e0.png", "--artist", "a", "--entry", "e", "--json")
    assert (done.status, done.json[0]["error"]["code"], done.json[1]["created"]) == (1, "invalid_image", True)


def test_match_goes_on_after_a_missing_file(arthur: Any, shelf: Any) -> None:
    arthur("import", shelf)
    done = arthur("match", "missing.jpg", shelf / "a0/e0.png", "--json")
    assert done.status == 1
    assert [row.get("decision") for row in done.json] != [None, None]


def test_match_speaks_to_people(arthur: Any, shelf: Any) -> None:
    arthur("import", shelf)
    done = arthur("match", shelf / "a0/e0.png", "-k", 1)
    assert "not calibrated for this catalogue" in done.out
    assert "a0 / e0 / main" in done.out


def test_match_obeys_its_filters(arthur: Any, shelf: Any) -> None:
    arthur("import", shelf)
    done = arthur("match", shelf / "a0/e0.png", "--artist", "a1", "-k", 2, "--json")
    assert [row["artist_id"] for row in done.json[0]["matches"]] == ["a1", "a1"]


def test_import_counts(arthur: Any, shelf: Any) -> None:
    (told,) = arthur("import", shelf, "--json").json
    counts = {"imported": 6, "skipped": 0, "failed": 0, "interrupted": False}
    assert told == {**counts, "job": told["job"]}


def test_an_import_tells_servers_how_far_it_is(arthur: Any, shelf: Any, tmp_path: Any) -> None:
    arthur("import", shelf)
    with closing(open_catalog(f"sqlite:///{tmp_path / 'data' / 'catalog.db'}")) as catalog:
        told = Board(catalog).newest()
    assert (told["state"], told["stage"], told["done"], told["total"]) == ("done", "import", 6, 6)


def test_import_again_skips(arthur: Any, shelf: Any) -> None:
    arthur("import", shelf)
    assert arthur("import", shelf).out == "0 imported, 6 already there, 0 failed\n"


def test_import_names_what_failed(arthur: Any, shelf: Any) -> None:
    (shelf / "a0/e0.png").write_bytes(b"no picture")
    done = arthur("import", shelf)
    assert done.status == 1
    assert done.err.startswith("a0/e0.png: ")


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Take SIGINT as Python does by itself; whoever runs the tests in the background may have it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_the_first_interruption_stops_and_the_second_ends(interruptible: None) -> None:
    with interruption() as stopped:
        signal.raise_signal(signal.SIGINT)
        assert stopped()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_similar_lists_other_entries(arthur: Any, shelf: Any) -> None:
    arthur("import", shelf)
    done = arthur("similar", "a0", "e0", "--json", "-k", 3)
    assert (done.status, len(done.json[0]["matches"])) == (0, 3)
    assert "e0" not in [row["entry_id"] for row in done.json[0]["matches"]]


def test_similar_to_nothing_is_status_1(arthur: Any) -> None:
    done = arthur("similar", "a0", "e0")
    assert (done.status, done.err) == (1, "arthur: there is no view a0.e0.main\n")


def test_forget_removes(arthur: Any, shelf: Any) -> None:
    arthur("import", shelf)
    assert arthur("forget", "a0", "--yes", "--json").json == [{"removed": 3}]
    assert arthur("status", "--json").json[0]["counts"] == {"artists": 1, "entries": 3, "views": 3}


def test_forget_asks_for_a_yes(arthur: Any, shelf: Any) -> None:
    arthur("import", shelf)
    assert arthur("forget", "a0").status == 2
    assert arthur("status", "--json").json[0]["counts"]["views"] == 6


def test_forgetting_nothing_is_status_1(arthur: Any) -> None:
    assert arthur("forget", "a0", "e0", "main").status == 1


def test_reindex_counts_views(arthur: Any, shelf: Any) -> None:
    arthur("import", shelf)
    assert arthur("reindex", "--json").json == [{"views": 6}]


def test_export_writes_every_view(arthur: Any, shelf: Any, tmp_path: Any) -> None:
    arthur("import", shelf)
    assert arthur("export", tmp_path / "out.parquet", "--json").json[0]["views"] == 6
    assert pl.read_parquet(tmp_path / "out.parquet").height == 6


def test_status_speaks_to_people(arthur: Any) -> None:
    done = arthur("status")
    assert done.status == 0
    assert "calibrated: False" in done.out


@pytest.mark.parametrize(
    "words",
    [
        ("match", "x.jpg", "--data", "/dev/null/data"),
        ("match", "x.jpg", "--engine", "no-such-engine"),
        ("match", "x.jpg", "-k", "0"),
        ("match", "x.jpg", "-k", "many"),
        ("match",),
        ("no-such-command",),
        ("import", "missing"),
        ("enroll", "x.jpg", "--artist", " ", "--entry", "e"),
        ("enroll", "x.jpg", "y.jpg", "--artist", "a", "--entry", "e", "--view", "v"),
        ("enroll", "x.jpg", "--artist", "a", "--entry", "e", "--meta", "title"),
    ],
)
def test_wrong_usage_is_status_2(arthur: Any, words: Any, tmp_path: Any) -> None:
    (tmp_path / "x.jpg").write_bytes(b"")
    done = arthur(*words)
    assert done.status == 2
    assert done.err


def test_an_error_is_one_line(arthur: Any) -> None:
    done = arthur("match", "x.jpg", "--engine", "no-such-engine")
    assert done.err.startswith("arthur: ")
    assert done.err.count("\n") == 1


def test_doctor_finds_a_sound_installation(arthur: Any, shelf: Any) -> None:
    arthur("import", shelf)
    done = arthur("doctor", "--json")
    assert {row["part"]: row["detail"] for row in done.json if row["part"] in ("catalog", "index")} == {
        "catalog": "2 artists, 6 entries, 6 views at sequence 6",
        "index": "6 views at sequence 6",
    }


def test_doctor_names_what_is_wrong_and_how_to_mend_it(arthur: Any) -> None:
    done = arthur("doctor", "--engine", "no-such-engine", "--json")
    (engine,) = [row for row in done.json if row["part"] == "engine"]
    assert (done.status, engine["state"], bool(engine["mend"])) == (1, "wrong", True)


def test_doctor_speaks_to_people(arthur: Any) -> None:
    assert "data folder:" in arthur("doctor").out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(arthur: Any, command: Any) -> None:
    done = arthur(command, "--help")
    assert done.status == 0
    assert "Usage: arthur" in done.out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_described(command: Any) -> None:
    assert get_command(app).commands[command].help


def test_help_does_not_load_the_parts() -> None:
    code = "import sys, arthur.cli; print(sorted({'numpy', 'polars', 'pydantic', 'onnxruntime'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_version_is_shown(arthur: Any) -> None:
    done = arthur("--version")
    assert (done.status, done.out.split()[0]) == (0, "arthur")


def test_a_catalogue_is_brought_to_the_schema_of_this_release(arthur: Any, tmp_path: Any) -> None:
    first, again = arthur("catalog", "migrate", "--json"), arthur("catalog", "migrate", "--json")
    assert (first.status, first.json[0]["schema"], first.json[0]["sequence"]) == (0, HEAD, 0)
    assert again.json == first.json
