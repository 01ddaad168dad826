"""What is read out of recordings of each kind."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multipart import PushMultipartParser

from arthur.errors import BadRequest
from arthur.replay.bodies import bytes_of_text, form_body
from arthur.replay.recordings import read_recording
from arthur.replay.requests import Recorded, Unusable

PICTURE = bytes(range(256)) * 4


def har(tmp_path: Path, **request: Any) -> list[Recorded | Unusable]:
    entry = {"request": {"method": "POST", "url": "http://v1.example:9000/match?artist_id=a%20b", **request}}
    (tmp_path / "v1.har").write_text(json.dumps({"log": {"entries": [entry]}}))
    return list(read_recording(tmp_path / "v1.har"))


def lines(tmp_path: Path, *requests: Any) -> list[Recorded | Unusable]:
    (tmp_path / "v1.jsonl").write_text("\n".join(json.dumps(one) for one in requests))
    return list(read_recording(tmp_path / "v1.jsonl"))


def parts(recorded: Recorded) -> list[tuple[str, str | None, bytes]]:
    boundary = recorded.headers["content-type"].rpartition("boundary=")[2]
    found: list[Any] = []
    with PushMultipartParser(boundary) as parser:
        for event in parser.parse(recorded.body):
            if isinstance(event, bytes | bytearray):
                found[-1][2] += event
            elif event is not None:
                found.append([event.name, event.filename, bytearray()])
    return [(name, filename, bytes(data)) for name, filename, data in found]


@pytest.mark.parametrize("kept", ["latin-1", "surrogateescape", "base64"])
def test_a_har_body_is_the_bytes_that_were_sent(tmp_path: Path, kept: str) -> None:
    text = {"latin-1": PICTURE.decode("latin-1"), "surrogateescape": PICTURE.decode("utf-8", "surrogateescape"),
            "base64": base64.b64encode(PICTURE).decode()}[kept]  # fmt: skip
    data = {"mimeType": "multipart/form-data; boundary=x", "text": text}
    read = har(tmp_path, bodySize=len(PICTURE), postData=data | ({"encoding": kept} if kept == "base64" else {}))
    assert [one.body for one in read if isinstance(one, Recorded)] == [PICTURE]


def test_a_har_entry_keeps_target_and_headers_that_matter(tmp_path: Path) -> None:
    sent = [("Content-Type", "application/json"), ("Host", "v1"), ("Cookie", "secret"), ("Authorization", "secret")]
    (read,) = har(tmp_path, headers=[{"name": name, "value": value} for name, value in sent])
    assert isinstance(read, Recorded)
    assert (read.target, dict(read.headers)) == ("/match?artist_id=a%20b", {"content-type": "application/json"})


def test_a_body_that_a_browser_lost_is_told(tmp_path: Path) -> None:
    (read,) = har(tmp_path, postData={"mimeType": "image/png", "text": "\ufffdPNG"})
    assert isinstance(read, Unusable)
    assert "mitmproxy" in read.why


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"log": {"entries": 3}}', "\x00"])
def test_what_is_no_har_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "v1.har").write_text(text)
    with pytest.raises(BadRequest, match="no HAR"):
        list(read_recording(tmp_path / "v1.har"))


def test_an_entry_that_is_none_does_not_lose_the_others(tmp_path: Path) -> None:
    entries = [{"request": None}, {"request": {"method": "GET", "url": "/status"}}]
    (tmp_path / "v1.har").write_text(json.dumps({"log": {"entries": entries}}))
    assert [type(one) for one in read_recording(tmp_path / "v1.har")] == [Unusable, Recorded]


def test_a_line_has_its_body_in_one_of_four_ways(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(PICTURE)
    form = [{"name": "title", "text": "Élan"}, {"name": "imgFile", "filename": "a.jpg", "file": "a.jpg"}]
    whole = base64.b64encode(PICTURE).decode()
    given = [{"text": "x"}, {"base64": whole}, {"file": "a.jpg"}, {"multipart": form}]
    text, encoded, file, multipart = lines(tmp_path, *({"path": "/match", **one} for one in given))
    assert [one.body for one in (text, encoded, file) if isinstance(one, Recorded)] == [b"x", PICTURE, PICTURE]
    assert isinstance(multipart, Recorded)
    assert parts(multipart) == [("title", None, "Élan".encode()), ("imgFile", "a.jpg", PICTURE)]


@pytest.mark.parametrize(
    "line",
    [
        {"path": "/match", "text": "x", "base64": "eA=="},
        {"path": "/match", "base64": "?"},
        {"path": "/match", "file": "missing.jpg"},
        {"path": "/match", "body": "x"},
        {"method": "GET"},
        [],
    ],
)
def test_a_line_that_cannot_be_sent_is_told_and_the_rest_goes_on(tmp_path: Path, line: Any) -> None:
    read = lines(tmp_path, line, {"method": "GET", "path": "/status"})
    assert [type(one) for one in read] == [Unusable, Recorded]


def test_a_folder_is_a_match_for_each_picture(tmp_path: Path) -> None:
    for name in ("b.jpg", "a.PNG", "notes.txt"):
        (tmp_path / name).write_bytes(name.encode())
    read = [one for one in read_recording(tmp_path) if isinstance(one, Recorded)]
    assert [parts(one) for one in read] == [[("imgFile", "a.PNG", b"a.PNG")], [("imgFile", "b.jpg", b"b.jpg")]]


def test_a_log_takes_its_pictures_in_turn(tmp_path: Path) -> None:
    (tmp_path / "shelf").mkdir()
    (tmp_path / "shelf" / "a.jpg").write_bytes(PICTURE)
    logged = ["POST /match/a HTTP/1.1", "GET /status HTTP/1.1", "POST /artist/image HTTP/1.1"]
    log = [f'10.0.0.1 - - [22/Nov/2026:10:00:00 +0000] "{one}" 200 512 "-" "app/1.0"' for one in logged]
    (tmp_path / "access.log").write_text("\n".join([*log, "nonsense"]))
    read = list(read_recording(tmp_path / "access.log", pictures=tmp_path / "shelf"))
    assert [one.target if isinstance(one, Recorded) else None for one in read] == ["/match/a", "/status", None, None]
    assert [parts(one)[0][2] for one in read if isinstance(one, Recorded) and one.is_match] == [PICTURE]


@pytest.mark.parametrize("name", ["missing.har", "v1.pcap", "v1.log", "empty"])
def test_a_recording_of_no_known_kind_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "v1.pcap").touch()
    (tmp_path / "v1.log").touch()
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadRequest):
        list(read_recording(tmp_path / name))


@pytest.mark.parametrize(
    ("method", "path", "match", "write"),
    [
        ("POST", "/match", True, False),
        ("POST", "/match/a%20b/", True, False),
        ("POST", "/match-legacy/a", True, False),
        ("POST", "/match/a/b", False, True),
        ("POST", "/artist/image", False, True),
        ("POST", "/unified-index/", False, True),
        ("DELETE", "/match", False, True),
        ("GET", "/status", False, False),
    ],
)
def test_only_reading_is_harmless(method: str, path: str, *, match: bool, write: bool) -> None:
    request = Recorded(1, method, path)
    assert (request.is_match, request.is_write) == (match, write)


@given(data=st.binary(), binary=st.booleans())
def test_text_of_a_noted_length_is_read_back_whole(data: bytes, *, binary: bool) -> None:
    for text in (data.decode("latin-1"), data.decode("utf-8", "surrogateescape")):
        assert len(bytes_of_text(text, len(data), binary=binary)) == len(data)


@given(st.lists(st.tuples(st.sampled_from(["a", 'q"', "n\r\n"]), st.none() | st.just("f.jpg"), st.none(), st.binary())))
def test_the_same_parts_are_always_the_same_bytes(given_parts: Any) -> None:
    assert form_body(given_parts) == form_body(given_parts)
