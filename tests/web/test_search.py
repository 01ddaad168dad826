"""Search over `/api/v1`."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import httpx
import pytest

SEARCH = "/api/v1/search"


@pytest.fixture
def ask(client: httpx.Client, artist: str, put: Callable[..., httpx.Response]) -> Callable[..., httpx.Response]:
    """Search among two entries of the test's own artist."""
    for seed in (21, 22):
        put(seed, entry=f"e{seed}")
    return lambda **body: client.post(SEARCH, json={"artist_id": artist, **body})


def image(pictures: Callable[..., bytes], seed: int) -> str:
    return base64.b64encode(pictures(seed)).decode()


def test_an_answer_has_the_documented_members_in_order(ask: Callable[..., httpx.Response], artist: str) -> None:
    answer = ask(text="picture 21")
    assert list(answer.json()) == ["hits", "engine", "passport", "catalog_seq", "degraded", "timings_ms", "request_id"]
    hit = answer.json()["hits"][0]
    assert (hit["artist_id"], hit["entry_id"], hit["view_id"]) == (artist, "e21", "main")
    assert hit["score"] == pytest.approx(1, abs=1e-5)
    assert answer.headers["server-timing"].startswith("text;dur=")


def test_texts_and_pictures_are_mixed_by_weight(
    ask: Callable[..., httpx.Response], pictures: Callable[..., bytes]
) -> None:
    mix = [{"text": "picture 21", "weight": 0.1}, {"image_base64": image(pictures, 22)}]
    assert ask(mix=mix).json()["hits"][0]["entry_id"] == "e22"
    assert ask(text="picture 21", mix=[{**mix[1], "weight": 0.1}]).json()["hits"][0]["entry_id"] == "e21"


def test_a_picture_may_be_fetched(
    ask: Callable[..., httpx.Response], pictures: Callable[..., bytes], web_page: Callable[[bytes], str]
) -> None:
    answer = ask(mix=[{"image_url": web_page(pictures(22))}])
    assert answer.json()["hits"][0]["entry_id"] == "e22"


def test_parameters_may_stand_in_the_query(client: httpx.Client, ask: Callable[..., httpx.Response]) -> None:
    answer = client.post(SEARCH, params={"k": 1, "artist_id": ask(text="picture 1").json()["hits"][0]["artist_id"]},
                         json={"text": "picture 22"})  # fmt: skip
    assert [hit["entry_id"] for hit in answer.json()["hits"]] == ["e22"]


def test_an_engine_without_text_tower_is_a_conflict(ask: Callable[..., httpx.Response]) -> None:
    answer = ask(text="a red boat")
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    assert answer.json()["type"] == "/problems/conflict"
    assert "has no text tower" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "at least one text or picture"),
        ({"text": ""}, "text: "),
        ({"text": "picture 1", "k": 0}, "k: "),
        ({"text": "x" * 2001}, "text: "),
        ({"mix": [{"weight": 1}]}, "give either `image_url` or `image_base64`"),
        ({"mix": [{"text": "picture 1", "weight": 1e9}]}, "mix.0.weight"),
        ({"mix": [{"text": "picture 1"}] * 9}, "mix: "),
        ({"text": "picture 1", "mix": [{"text": "picture 1", "weight": -1}]}, "cancel each other out"),
    ],
)
def test_malformed_questions_are_named(ask: Callable[..., httpx.Response], body: dict[str, Any], message: str) -> None:
    answer = ask(**body)
    assert (answer.status_code, message in answer.json()["detail"]) == (400, True)
