"""`arthur keys` and `arthur audit`."""

from __future__ import annotations

from typing import Any

import pytest

from arthur.access import digest_of, parse_token
from arthur.cli.durations import microseconds
from arthur.errors import BadRequest


def create(arthur: Any, *words: str) -> dict[str, Any]:
    return arthur("keys", "create", "app", *words, "--json").json[0]


def test_a_token_is_shown_once_and_kept_nowhere(arthur: Any, tmp_path: Any) -> None:
    row = create(arthur, "--scope", "write", "--artist", "a", "--expires", "90d")
    secret = parse_token(row["token"]).secret
    listed = arthur("keys", "list", "--json")
    assert (listed.json[0]["scope"], listed.json[0]["artists"], listed.json[0]["state"]) == ("write", ["a"], "active")
    kept = [path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert not [text for text in (*kept, listed.out.encode()) if secret.encode() in text]
    assert any(digest_of(parse_token(row["token"])) in text for text in kept)


def test_only_the_token_is_on_standard_output(arthur: Any) -> None:
    assert parse_token(arthur("keys", "create", "app").out.strip()) is not None


def test_a_revoked_key_stays_listed(arthur: Any) -> None:
    key_id = create(arthur)["key_id"]
    assert arthur("keys", "revoke", key_id).status == 0
    first = arthur("keys", "list", "--json").json[0]["revoked"]
    assert arthur("keys", "revoke", key_id, "--json").json[0]["revoked"] == first
    assert arthur("keys", "list", "--json").json[0]["state"] == "revoked"


def test_a_rotation_makes_a_successor_and_ends_the_old_key(arthur: Any) -> None:
    old = create(arthur, "--artist", "a")
    new = arthur("keys", "rotate", old["key_id"], "--overlap", "1h", "--json").json[0]
    rows = {row["key_id"]: row for row in arthur("keys", "list", "--json").json}
    assert (new["replaces"], new["artists"]) == (old["key_id"], ["a"])
    assert (rows[old["key_id"]]["expires"] is not None, rows[new["key_id"]]["expires"]) == (True, None)


def test_a_revoked_key_is_not_rotated(arthur: Any) -> None:
    key_id = create(arthur)["key_id"]
    arthur("keys", "revoke", key_id)
    assert arthur("keys", "rotate", key_id).status == 1


@pytest.mark.parametrize(
    "words",
    [
        ("create", "app", "--scope", "admin", "--artist", "a"),
        ("create", "app", "--scope", "root"),
        ("create", " "),
        ("create", "app", "--expires", "soon"),
        ("create", "app", "--expires", "0d"),
    ],
)
def test_a_key_that_cannot_be_is_status_2(arthur: Any, words: tuple[str, ...]) -> None:
    assert arthur("keys", *words).status == 2
    assert arthur("keys", "list").out == ""


@pytest.mark.parametrize("command", ["revoke", "rotate"])
def test_an_unknown_key_is_status_1(arthur: Any, command: str) -> None:
    done = arthur("keys", command, "nobody")
    assert (done.status, "arthur keys list" in done.err) == (1, True)


def test_every_change_of_a_key_is_audited(arthur: Any) -> None:
    key_id = create(arthur)["key_id"]
    arthur("keys", "rotate", key_id)
    arthur("keys", "revoke", key_id)
    rows = arthur("audit", "--json").json
    assert [row["action"] for row in rows] == ["create", "rotate", "revoke"]
    assert all(row["user"] for row in rows)
    assert [row["action"] for row in arthur("audit", "--key", key_id, "--json").json] == ["create", "revoke"]
    assert len(arthur("audit", "-n", "1").out.splitlines()) == 1


def test_a_change_that_cannot_be_audited_is_not_made(arthur: Any, tmp_path: Any) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "audit").touch()
    assert arthur("keys", "create", "app").status == 1
    assert arthur("keys", "list").out == ""


def test_a_write_is_shown_with_its_outcome_or_without_one(arthur: Any, tmp_path: Any) -> None:
    from arthur.audit import AuditLog

    asked = {"method": "PUT", "path": "/x", "client": "1.1.1.1", "key": "", "key_name": ""}
    log = AuditLog(tmp_path / "data" / "audit")
    log.write({"event": "begin", "write": "1", **asked})
    log.write({"event": "begin", "write": "2", **asked})
    log.write({"event": "end", "write": "1", "status": 201})
    assert [line.split()[1] for line in arthur("audit").out.splitlines()] == ["201", "no"]
    assert arthur("audit", "--since", "1h", "--json").json[0]["status"] == 201


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "only this machine"),
        ({"ARTHUR_HOST": "0.0.0.0"}, "writes are refused"),
        ({"ARTHUR_HOST": "0.0.0.0", "ARTHUR_ACCESS": "open"}, "everyone who reaches"),
        ({"ARTHUR_ACCESS": "keys"}, "none is active"),
    ],
)
def test_doctor_tells_who_may_ask(
    arthur: Any, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], said: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert said in arthur("doctor").out
    create(arthur)
    assert ("1 of 1 are active" in arthur("doctor").out) == (settings.get("ARTHUR_ACCESS") != "open")


@pytest.mark.parametrize(("text", "seconds"), [("45s", 45), ("30m", 1800), ("12h", 43_200), ("90d", 7_776_000)])
def test_a_length_of_time_is_read(text: str, seconds: int) -> None:
    assert microseconds(text) == seconds * 10**6


@pytest.mark.parametrize("text", ["", "90", "-1d", "1.5h", "1w", "9999999999s"])
def test_another_text_is_no_length_of_time(text: str) -> None:
    with pytest.raises(BadRequest):
        microseconds(text)
