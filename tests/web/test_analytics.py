"""What was asked, over HTTP, from answers to matching."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import httpx
import polars as pl
import pytest

from arthur.web.analytics_schemas import AnalyticsOut, ArtistAnalyticsOut
from tests.web.conftest import eventually, picture

TYPE = {"content-type": "image/png"}


@pytest.fixture
def asked(client: httpx.Client, put: Callable[..., httpx.Response], artist: str) -> Callable[[], Any]:
    """Put a work, match it, and return what finds it among the most found works."""
    put(7)
    client.post("/api/v1/match", content=picture(7), headers=TYPE, params={"artist_id": artist})

    def found() -> Any:
        top = client.get("/api/v1/analytics", params={"top": 1000}).json()["top"]
        return [row for row in top if row["artist_id"] == artist]

    return found


def test_an_answer_is_counted_soon_after_it_was_given(client: httpx.Client, asked: Callable[[], Any]) -> None:
    (row,) = eventually(asked)
    assert (row["entry_id"], row["match"] + row["unsure"]) == ("entry", 1)
    told = AnalyticsOut.model_validate(client.get("/api/v1/analytics").json())
    assert (told.logged_days, told.complete, sum(told.decisions.values())) == (30, True, told.answers)
    assert told.days[-1].answers >= 1


def test_answers_vanish_with_their_artist(client: httpx.Client, asked: Callable[[], Any], artist: str) -> None:
    assert eventually(asked)
    client.delete(f"/api/v1/artists/{artist}")
    assert asked() == []


def test_tables_come_as_files(client: httpx.Client, asked: Callable[[], Any], artist: str) -> None:
    eventually(asked)
    csv = client.get("/api/v1/analytics", params={"format": "csv"})
    assert csv.headers["content-type"].startswith("text/csv")
    assert csv.text.startswith("day,answers,match,unsure,no_match,photos,p50,p90,p99\n")
    file = client.get("/api/v1/analytics", params={"format": "parquet", "table": "works"})
    assert 'filename="arthur-works.parquet"' in file.headers["content-disposition"]
    assert artist in pl.read_parquet(io.BytesIO(file.content))["artist_id"].to_list()


@pytest.mark.parametrize("query", [{"days": 0}, {"days": "x"}, {"format": "xls"}, {"top": 1001}, {"table": "keys"}])
def test_what_makes_no_sense_is_refused(client: httpx.Client, query: Any) -> None:
    assert client.get("/api/v1/analytics", params=query).status_code == 400


def test_a_restricted_key_is_told_of_its_own_artists_alone(keyed: Any) -> None:
    for seed, artist in ((21, "mine"), (22, "somebody")):
        path = f"/api/v1/artists/{artist}/entries/e{seed}/views/v"
        keyed.ask("PUT", path, "writer", content=picture(seed), headers=TYPE)
        keyed.ask("POST", f"/api/v1/match?artist_id={artist}", "reader", content=picture(seed), headers=TYPE)

    def top(name: str) -> set[str]:
        rows = keyed.ask("GET", "/api/v1/analytics?top=1000", name).json()["top"]
        return {row["artist_id"] for row in rows}

    assert eventually(lambda: {"mine", "somebody"} <= top("reader"))
    assert top("mine") <= {"mine", "also mine"}
    assert keyed.ask("GET", "/api/v1/analytics", "mine").json()["no_match_rate"] is None


def test_an_artist_is_told_of_its_company_and_how_often_its_works_were_found(
    client: httpx.Client, put: Callable[..., httpx.Response], asked: Callable[[], Any], artist: str
) -> None:
    assert eventually(asked)
    put(8, entry="other")
    told = ArtistAnalyticsOut.model_validate(client.get(f"/api/v1/artists/{artist}/analytics").json())
    assert (told.views, told.months[0].views, told.quality.looked_at, told.quality.small) == (2, 2, 2, 2)
    assert (told.found.match + told.found.unsure, told.found.works[0].entry_id) == (1, "entry")
    assert told.nearest is not None
    assert artist not in [one.artist_id for one in told.nearest]


def test_an_artist_comes_as_files(client: httpx.Client, put: Callable[..., httpx.Response], artist: str) -> None:
    put(9)
    answer = client.get(f"/api/v1/artists/{artist}/analytics", params={"format": "csv"})
    assert answer.text.splitlines()[0] == "day,views,total"
    works = client.get(f"/api/v1/artists/{artist}/analytics", params={"format": "parquet", "table": "works"})
    assert pl.read_parquet(io.BytesIO(works.content)).columns == ["artist_id", "entry_id", "match", "unsure", "last_at"]


def test_a_restricted_key_is_told_of_no_foreign_company(keyed: Any) -> None:
    for seed, artist in ((31, "mine"), (32, "stranger")):
        keyed.ask("PUT", f"/api/v1/artists/{artist}/entries/n/views/v", "writer", content=picture(seed), headers=TYPE)
    told = keyed.ask("GET", "/api/v1/artists/mine/analytics", "mine").json()
    assert {row["artist_id"] for row in told["nearest"]} <= {"also mine"}
