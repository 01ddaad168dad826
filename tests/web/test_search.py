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


def test_a_picture_stands_beside_the_text(ask: Callable[..., httpx.Response], pictures: Callable[..., bytes]) -> None:
    both = {"text": "picture 21", "image_base64": image(pictures, 22)}
    assert ask(**both, text_weight=0.1).json()["hits"][0]["entry_id"] == "e22"
    assert ask(**both, image_weight=0.1).json()["hits"][0]["entry_id"] == "e21"


def test_a_form_takes_texts_and_pictures(
    client: httpx.Client, ask: Callable[..., httpx.Response], artist: str, pictures: Callable[..., bytes]
) -> None:
    ask(text="picture 21")
    form = {"artist_id": artist, "text": ["picture 21", "picture 21"], "k": "1"}
    files = [("image", ("a.png", pictures(22)))] * 3
    hits = client.post(SEARCH, data=form, files=files).json()["hits"]
    assert [hit["entry_id"] for hit in hits] == ["e22"]
    hits = client.post(SEARCH, data={**form, "text_weight": "2"}, files=files).json()["hits"]
    assert [hit["entry_id"] for hit in hits] == ["e21"]


def test_what_is_not_wanted_comes_last(ask: Callable[..., httpx.Response]) -> None:
    hits = ask(mix=[{"text": "picture 21", "weight": -1}]).json()["hits"]
    assert ([hit["entry_id"] for hit in hits][-1], hits[-1]["score"]) == ("e21", pytest.approx(-1, abs=1e-5))


def test_hits_below_the_least_score_are_left_out(ask: Callable[..., httpx.Response]) -> None:
    assert [hit["entry_id"] for hit in ask(text="picture 21", min_score=0.999).json()["hits"]] == ["e21"]


def test_artists_that_were_not_asked_for_are_left_out(ask: Callable[..., httpx.Response]) -> None:
    assert ask(text="picture 21", artist_id="nobody").json()["hits"] == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"text": ""}, "text"),
        ({"text": ["picture 1"] * 9}, "text: "),
        ({"image": "no file"}, "file part"),
        ({"k": "1"}, "at least one text or picture"),
    ],
)
def test_malformed_forms_are_named(client: httpx.Client, data: dict[str, Any], message: str) -> None:
    answer = client.post(SEARCH, data=data, files={"other": b""})
    assert (answer.status_code, message in answer.json()["detail"]) == (400, True)


def test_too_many_pictures_are_named(client: httpx.Client, pictures: Callable[..., bytes]) -> None:
    answer = client.post(SEARCH, files=[("image", ("a.png", pictures(1)))] * 9)
    assert (answer.status_code, answer.json()["detail"]) == (400, "at most 8 images are taken")


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
        ({"image_url": "http://a", "image_base64": "a"}, "give either `image_url` or `image_base64`"),
        ({"mix": [{"text": "picture 1", "image_base64": "iVBORw0KGgo="}]}, "either a text or a picture"),
        ({"text": "picture 1", "text_weight": 101}, "text_weight: "),
        ({"mix": [{"weight": 1}]}, "give either `image_url` or `image_base64`"),
        ({"mix": [{"text": "picture 1", "weight": 1e9}]}, "mix.0.weight"),
        ({"mix": [{"text": "picture 1"}] * 9}, "mix: "),
        ({"text": "picture 1", "mix": [{"text": "picture 1", "weight": -1}]}, "cancel each other out"),
    ],
)
def test_malformed_questions_are_named(ask: Callable[..., httpx.Response], body: dict[str, Any], message: str) -> None:
    answer = ask(**body)
    assert (answer.status_code, message in answer.json()["detail"]) == (400, True)
