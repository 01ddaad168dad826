"""Recognition over `/api/v1`."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import httpx
import pytest

MATCH = "/api/v1/match"


@pytest.fixture
def known(put: Callable[..., httpx.Response]) -> None:
    assert put(11).status_code == 201


@pytest.fixture
def raw(client: httpx.Client, artist: str, pictures: Callable[..., bytes]) -> Any:
    def asking(seed: int = 11, **query: Any) -> Any:
        headers = {"content-type": "image/png"}
        return client.post(MATCH, params={"artist_id": artist, **query}, content=pictures(seed), headers=headers)

    return asking


def test_an_answer_has_the_documented_members_in_order(known: None, raw: Callable[..., httpx.Response]) -> None:
    answer = raw().json()
    members = [
        "decision",
        "probability",
        "reasons",
        "matches",
        "engine",
        "passport",
        "catalog_seq",
        "degraded",
        "skipped",
        "timings_ms",
        "request_id",
    ]
    assert list(answer) == members
    row = [
        "artist_id",
        "entry_id",
        "view_id",
        "vector_id",
        "score",
        "probability",
        "inliers",
        "coverage",
        "quad",
        "thumbnail",
        "metadata",
        "decision",
        "frame",
    ]
    assert list(answer["matches"][0]) == row


def test_raw_multipart_base64_and_url_find_the_same(
    client: httpx.Client,
    known: None,
    raw: Callable[..., httpx.Response],
    artist: str,
    pictures: Callable[..., bytes],
    web_page: Callable[[bytes], str],
) -> None:
    image, given = pictures(11), {"artist_id": artist}
    answers = [
        raw(),
        client.post(MATCH, files={"image": ("a", image)}, data=given),
        client.post(MATCH, json={"image_base64": base64.b64encode(image).decode(), **given}),
        client.post(MATCH, json={"image_url": web_page(image), **given}),
    ]
    assert [[row["entry_id"] for row in answer.json()["matches"]] for answer in answers] == [["entry"]] * 4


def test_repeated_artist_ids_search_in_all_of_them(
    client: httpx.Client, known: None, artist: str, pictures: Callable[..., bytes]
) -> None:
    query = {"artist_id": ["nobody", artist]}
    answer = client.post(MATCH, params=query, content=pictures(11), headers={"content-type": "image/png"})
    assert [row["artist_id"] for row in answer.json()["matches"]] == [artist]


def test_k_bounds_the_rows(put: Callable[..., httpx.Response], raw: Callable[..., httpx.Response]) -> None:
    for seed in (1, 2, 3):
        put(seed, entry=f"e{seed}")
    assert [len(raw(k=k).json()["matches"]) for k in (1, 2, 3)] == [1, 2, 3]


def test_min_score_leaves_out_rows(put: Callable[..., httpx.Response], raw: Callable[..., httpx.Response]) -> None:
    put(1, entry="other")
    put(11)
    assert [row["entry_id"] for row in raw(min_score=0.99).json()["matches"]] == ["entry"]


def test_of_several_frames_the_surest_answers(
    client: httpx.Client, known: None, artist: str, pictures: Callable[..., bytes]
) -> None:
    frames = [("image", ("one", pictures(98))), ("image", ("two", pictures(11)))]
    answer = client.post(MATCH, files=frames, data={"artist_id": artist}).json()
    assert answer["matches"][0]["score"] == pytest.approx(1, abs=1e-4)


def test_frames_are_bounded(client: httpx.Client, pictures: Callable[..., bytes]) -> None:
    answer = client.post(MATCH, files=[("image", (str(n), pictures(n))) for n in range(9)])
    assert (answer.status_code, answer.json()["detail"]) == (400, "at most 8 frames are taken")


def test_server_timing_names_the_stages(known: None, raw: Callable[..., httpx.Response]) -> None:
    assert "decode;dur=" in raw().headers["server-timing"]


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({"k": 0}, "k"),
        ({"k": 101}, "k"),
        ({"k": "x"}, "k"),
        ({"min_score": 2}, "min_score"),
        ({"min_score": "nan"}, "min_score"),
        ({"verify": "maybe"}, "verify"),
        ({"max_false_accept": 1}, "max_false_accept"),
        ({"deadline_ms": 0}, "deadline_ms"),
    ],
)
def test_a_parameter_out_of_range_is_a_problem_that_names_it(
    raw: Callable[..., httpx.Response], query: dict[str, Any], word: str
) -> None:
    answer = raw(**query)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].startswith(word)


def test_a_problem_has_the_members_of_rfc_9457(raw: Callable[..., httpx.Response], client: httpx.Client) -> None:
    answer = client.post(MATCH, content=b"no picture", headers={"content-type": "image/png", "x-request-id": "abc"})
    assert (answer.status_code, list(answer.json())) == (422, ["type", "title", "status", "detail", "request_id"])
    assert answer.json()["request_id"] == answer.headers["x-request-id"] == "abc"


@pytest.mark.parametrize("given", ["white space", "x" * 129, "<script>"])
def test_an_odd_request_id_is_replaced(client: httpx.Client, given: str) -> None:
    answer = client.get("/healthz", headers={"x-request-id": given})
    assert len(answer.headers["x-request-id"]) == 32


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (b"", ""),
        (b"x", "text/plain"),
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b"{}", "application/json"),
        (b'{"image_url":"http://a.example","image_base64":"aa"}', "application/json"),
        (b'{"image_base64":"%"}', "application/json"),
        (b'{"image_url":"ftp://a.example/x"}', "application/json"),
        (b'{"image_url":7}', "application/json"),
    ],
)
def test_a_body_of_no_documented_form_is_400(client: httpx.Client, body: bytes, media: str) -> None:
    answer = client.post(MATCH, content=body, headers={"content-type": media} if media else {})
    assert answer.status_code == 400


def test_a_picture_beyond_the_limit_is_413(client: httpx.Client) -> None:
    for body in (
        {"content": b"x" * 2_000_001, "headers": {"content-type": "image/png"}},
        {"files": {"image": ("a", b"x" * 2_000_001)}},
    ):
        assert client.post(MATCH, **body).status_code == 413


def test_base64_beyond_the_limit_is_413(client: httpx.Client) -> None:
    assert client.post(MATCH, json={"image_base64": "A" * 2_700_000}).status_code == 413


def test_an_unreachable_url_is_502(client: httpx.Client) -> None:
    answer = client.post(MATCH, json={"image_url": "http://127.0.0.1:9/a.png"})
    assert (answer.status_code, answer.json()["type"]) == (502, "/problems/fetch_failed")


def test_a_private_address_that_is_not_allowed_is_502_and_untouched(client: httpx.Client) -> None:
    answer = client.post(MATCH, json={"image_url": "http://169.254.169.254/latest/meta-data"})
    assert (answer.status_code, "public" in answer.json()["detail"]) == (502, True)


def test_a_batch_keeps_order_and_ids_and_survives_a_bad_image(
    client: httpx.Client, known: None, artist: str, pictures: Callable[..., bytes]
) -> None:
    good = base64.b64encode(pictures(11)).decode()
    images = [{"id": "z", "image_base64": good}, {"id": "bad", "image_base64": "AAAA"}, {"image_base64": good}]
    results = client.post("/api/v1/batch/match", json={"images": images, "artist_id": artist}).json()["results"]
    assert [row["id"] for row in results] == ["z", "bad", "2"]
    assert [row.get("error", {}).get("status") for row in results] == [None, 422, None]


def test_a_batch_takes_repeated_files_of_one_name(
    client: httpx.Client, known: None, artist: str, pictures: Callable[..., bytes]
) -> None:
    files = [("image", ("same.png", pictures(11))), ("image", ("same.png", pictures(12)))]
    results = client.post("/api/v1/batch/match", files=files, data={"artist_id": artist}).json()["results"]
    assert [row["id"] for row in results] == ["same.png", "same.png"]
    assert results[0]["matches"][0]["score"] != results[1]["matches"][0]["score"]


@pytest.mark.parametrize("count", [0, 65])
def test_a_batch_is_bounded(client: httpx.Client, count: int) -> None:
    answer = client.post("/api/v1/batch/match", json={"images": [{"image_base64": "AAAA"}] * count})
    assert answer.status_code == 400


@pytest.mark.parametrize("name", ["vector_id", "hierarchical"])
def test_similar_takes_both_names_of_a_view_and_leaves_its_entry_out(
    client: httpx.Client, put: Callable[..., httpx.Response], artist: str, name: str
) -> None:
    view = put(11, entry="dotted.entry").json()
    put(12, entry="other")
    names = {"vector_id": view["vector_id"].upper(), "hierarchical": f"{artist}.dotted.entry.main"}
    answer = client.post(f"/api/v1/similar/{names[name]}", params={"artist_id": artist}).json()
    assert answer["view"] == view
    assert [row["entry_id"] for row in answer["matches"]] == ["other"]


def test_similar_to_nothing_is_404(client: httpx.Client) -> None:
    answer = client.post("/api/v1/similar/no.such.view")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_an_unknown_api_path_and_method_are_problems(client: httpx.Client) -> None:
    answers = client.get("/api/v1/unknown"), client.get(MATCH)
    assert [one.status_code for one in answers] == [404, 405]
    assert {one.headers["content-type"] for one in answers} == {"application/problem+json"}
    assert answers[1].headers["allow"] == "OPTIONS, POST"


def test_a_deadline_that_passed_is_504_or_an_answer(raw: Callable[..., httpx.Response], known: None) -> None:
    assert raw(deadline_ms=0.001).status_code == 504
    assert raw(deadline_ms=60_000).status_code == 200


def test_an_overlay_is_null_where_nothing_was_found(known: None, raw: Callable[..., httpx.Response]) -> None:
    assert raw(overlay="true").json()["overlay"] is None
