"""What a replay sends, how it judges, and what it reports."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arthur.__main__ import main
from arthur.replay.comparing import Answered, compare
from arthur.replay.requests import Recorded

MATCH = Recorded(1, "POST", "/match")
NIGHT = [("night", 0.9), ("day", 0.5)]
rows_of = st.lists(st.tuples(st.sampled_from("abcd"), st.floats(-1, 1)), max_size=4, unique_by=lambda row: row[0])


def answer(rows: Any, status: int = 200) -> Answered:
    matches = [{"artistId": "a", "entryId": e, "viewId": "v", "score": f"{s:.4f}"} for e, s in rows]
    return Answered(status, orjson.dumps({"matches": matches}), 1.0)


@pytest.fixture
def replay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Replay lines and return (status, report): `replay(old, new, lines, *options)`."""

    def run(old: Any, new: Any, lines: list[Any], *options: str) -> tuple[int, Any]:
        (tmp_path / "v1.jsonl").write_text("\n".join(map(json.dumps, lines)))
        words = ["replay", str(tmp_path / "v1.jsonl"), "--old", old.url, "--new", new.url, "--json", *options]
        capsys.readouterr()
        status = main(words)
        return status, json.loads(capsys.readouterr().out)

    return run


@pytest.mark.parametrize(
    ("new", "difference"),
    [
        ([("night", 0.92), ("day", 0.5)], "same"),
        ([("night", 0.7), ("day", 0.5)], "scores"),
        ([("night", 0.9), ("noon", 0.5)], "ids"),
        ([("night", 0.9)], "ids"),
        ([("day", 0.9), ("night", 0.5)], "first"),
        ([], "first"),
    ],
)
def test_the_gravest_difference_is_told(new: Any, difference: str) -> None:
    assert compare(MATCH, answer(NIGHT), answer(new), tolerance=0.05).difference == difference


def test_the_same_views_in_another_order_differ_in_order() -> None:
    old, new = answer([*NIGHT, ("noon", 0.4)]), answer([NIGHT[0], ("noon", 0.5), ("day", 0.4)])
    assert compare(MATCH, old, new, tolerance=1).difference == "order"


def test_statuses_and_silence_come_before_all_else() -> None:
    assert compare(MATCH, answer(NIGHT), answer(NIGHT, 400), tolerance=1).difference == "status"
    assert compare(MATCH, answer(NIGHT), Answered(0, b"", 1.0, "refused"), tolerance=1).difference == "unanswered"


@given(old=rows_of, new=rows_of)
def test_the_verdict_does_not_depend_on_the_side(old: Any, new: Any) -> None:
    assert compare(MATCH, answer(old), answer(new), tolerance=0.1) == compare(
        MATCH, answer(new), answer(old), tolerance=0.1
    )


@given(rows_of)
def test_an_answer_is_the_same_as_itself(rows: Any) -> None:
    verdict = compare(MATCH, answer(rows), answer(rows), tolerance=0)
    assert (verdict.difference, verdict.overlap) == ("same", 1.0)


def test_equal_servers_differ_in_nothing(v1: Any, replay: Any) -> None:
    lines = [{"path": "/match", "text": str(number)} for number in range(20)] + [{"method": "GET", "path": "/status"}]
    status, report = replay(v1(NIGHT), v1(NIGHT), lines, "--concurrency", "4")
    assert (status, report["differences"]) == (0, {"same": 21})
    assert report["recognitions"]["first_same"] == 1.0
    assert set(report["latency_ms"]["recognitions"]["new"]) == {"p50", "p90", "p99", "max"}


def test_what_differs_is_counted_and_is_status_1(v1: Any, replay: Any) -> None:
    status, report = replay(v1(NIGHT), v1(NIGHT[:1]), [{"path": "/match"}, {"method": "GET", "path": "/health"}])
    assert (status, report["differences"]) == (1, {"ids": 1, "same": 1})
    assert report["recognitions"]["overlap"] == 0.5


def test_writes_stay_out_unless_they_are_asked_for(v1: Any, replay: Any) -> None:
    old, new = v1(NIGHT), v1(NIGHT)
    lines = [{"path": "/artist/image/a/b/c"}, {"path": "/match"}, {"method": "DELETE", "path": "/x"}]
    assert replay(old, new, lines)[1]["writes_left_out"] == 2
    assert [path for _, path, *_ in old.seen] == ["/match"]
    replay(old, new, lines, "--writes")
    assert [path for _, path, *_ in new.seen[1:]] == ["/artist/image/a/b/c", "/match", "/x"]


def test_a_limit_counts_what_is_sent(v1: Any, replay: Any) -> None:
    lines = [{"path": "/artist/image"}, *[{"path": "/match"}] * 5]
    assert replay(v1(NIGHT), v1(NIGHT), lines, "--limit", "2")[1]["requests"] == 2


def test_both_are_sent_the_same_bytes_and_only_the_new_one_the_key(v1: Any, replay: Any) -> None:
    old, new = v1(NIGHT), v1(NIGHT)
    form = [{"name": "imgFile", "filename": "a.jpg", "text": "picture"}]
    replay(old, new, [{"path": "/match?artist_id=a%20b", "multipart": form}], "--new-key", "secret")
    assert (old.seen[0][1], old.seen[0][3]) == (new.seen[0][1], new.seen[0][3])
    assert [server.seen[0][2].get("authorization") for server in (old, new)] == [None, "Bearer secret"]


def test_a_server_that_is_not_there_is_a_difference(v1: Any, replay: Any, tmp_path: Path) -> None:
    gone = v1(NIGHT)
    gone.url = "http://127.0.0.1:1"
    status, report = replay(v1(NIGHT), gone, [{"path": "/match"}], "--rows", str(tmp_path / "rows.jsonl"))
    assert (status, report["differences"]) == (1, {"unanswered": 1})
    assert "ConnectError" in json.loads((tmp_path / "rows.jsonl").read_text())["note"]


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_rows_are_kept(v1: Any, replay: Any, tmp_path: Path, kind: str) -> None:
    replay(v1(NIGHT), v1(NIGHT), [{"path": "/match"}] * 3, "--rows", str(tmp_path / f"rows.{kind}"))
    rows = (pl.read_parquet if kind == "parquet" else pl.read_csv)(tmp_path / f"rows.{kind}")
    assert rows["difference"].to_list() == ["same"] * 3
    assert rows["new_ms"].min() > 0  # type: ignore[operator]


def test_the_report_speaks_to_people(v1: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    assert main(["replay", str(tmp_path), "--old", v1(NIGHT).url, "--new", v1([]).url]) == 1
    out = capsys.readouterr().out
    assert "1 requests: 1 first" in out
    assert "first       200 -> 200   POST /match" in out


@pytest.mark.parametrize("words", [["--old", "nonsense"], ["--rows", "rows.xml"]])
def test_misuse_is_status_2(v1: Any, tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    urls = ["--old", v1(NIGHT).url, "--new", v1(NIGHT).url]
    assert main(["replay", str(tmp_path), *urls, *words]) == 2


def test_nothing_to_send_is_status_1(v1: Any, replay: Any) -> None:
    status, report = replay(v1(NIGHT), v1(NIGHT), [{"path": "/artist/image"}])
    assert (status, report["requests"]) == (1, 0)


def test_a_stopped_replay_reports_what_it_did(v1: Any, replay: Any) -> None:
    pressed = v1(NIGHT, on_first=lambda: signal.raise_signal(signal.SIGINT))
    status, report = replay(v1(NIGHT), pressed, [{"path": "/match"}] * 500)
    assert status == 130
    assert 0 < report["requests"] < 500
