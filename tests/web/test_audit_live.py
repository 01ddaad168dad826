"""What a live server writes down of what it was asked to change."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from arthur.audit import read_audit

VIEW = "/api/v1/artists/audited/entries/e/views/v"


@pytest.fixture
def name() -> str:
    """A request id of the test's own, by which it finds its records."""
    return uuid.uuid4().hex


def records(keyed: Any, name: str) -> list[dict[str, Any]]:
    """Return the records of the writes with that request id, beginnings and outcomes."""
    rows: list[Any] = list(read_audit(keyed.data / "audit"))
    writes = {row.get("write") for row in rows if row.get("request_id") == name}
    return [row for row in rows if row.get("write") in writes]


def ask(keyed: Any, method: str, path: str, name: str, **given: Any) -> Any:
    """Ask with the write key, under that request id."""
    headers = {"x-request-id": name, **given.pop("headers", {})}
    return keyed.ask(method, path, "writer", headers=headers, **given)


def test_each_write_is_audited_with_who_what_and_outcome(keyed: Any, name: str, pictures: Callable[..., bytes]) -> None:
    ask(keyed, "PUT", VIEW, name, content=pictures(1), headers={"content-type": "image/png"})
    ask(keyed, "DELETE", "/api/v1/artists/nobody", name)
    ask(keyed, "GET", "/api/v1/artists", name)
    rows = records(keyed, name)
    assert [row["event"] for row in rows] == ["begin", "end"] * 2
    assert (rows[0]["key"], rows[0]["path"], rows[0]["client"]) == (keyed.tokens["writer"][7:23], VIEW, "127.0.0.1")
    assert [(rows[n]["write"], rows[n]["status"]) for n in (1, 3)] == [(rows[0]["write"], 201), (rows[2]["write"], 404)]
    assert rows[1]["views"] == ["audited.e.v"]


def test_no_secret_is_in_the_log_or_in_the_audit(keyed: Any, name: str) -> None:
    token = keyed.tokens["writer"]
    for method in ("GET", "DELETE"):
        ask(keyed, method, f"/api/v1/artists/{token}", name, params={"api_key": token})
    keyed.ask("GET", f"/api/v1/artists/{token}")
    kept = [keyed.served.log, *(keyed.data / "audit").iterdir(), *keyed.data.glob("catalog.db*")]
    assert len(records(keyed, name)) == 2
    assert not [path for path in kept if token.rpartition("_")[2].encode() in path.read_bytes()]


def test_a_batch_of_v1_is_audited_view_by_view(
    keyed: Any, name: str, web_page: Callable[[bytes], str], pictures: Callable[..., bytes]
) -> None:
    item = {"artist_id": "audited", "view_id": "v"}
    images = [{**item, "entry_id": f"e{n}", "url": web_page(pictures(n))} for n in range(2)]
    ask(keyed, "POST", "/artist/image", name, json={"images": images})
    (_, outcome) = records(keyed, name)
    assert (outcome["status"], outcome["views"], outcome["count"]) == (200, ["audited.e0.v", "audited.e1.v"], 2)


def test_a_record_is_one_line_of_json(keyed: Any, name: str, pictures: Callable[..., bytes]) -> None:
    path, metadata = "/api/v1/artists/audited%0Ab/entries/e/views/v%22", '{"a": "\\n"}'
    headers = {"content-type": "image/png"}
    ask(keyed, "PUT", path, name, params={"metadata": metadata}, content=pictures(1), headers=headers)
    lines = [line for file in (keyed.data / "audit").iterdir() for line in file.read_bytes().splitlines()]
    assert {orjson.loads(line)["event"] for line in lines} == {"begin", "end"}
    assert [row["event"] for row in records(keyed, name)] == ["begin", "end"]
