"""The v1 contract, sentence by sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest


@pytest.fixture
def file(pictures: Callable[..., bytes]) -> Any:
    return {"imgFile": ("photo.PNG", pictures(1), "image/png")}


@pytest.fixture
def enrolled(client: httpx.Client, artist: str, file: Any) -> Any:
    return client.post(f"/artist/image/{artist}/entry/main", files=file)


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("path", ["/match", "/match-legacy", "/match/{a}", "/match-legacy/{a}"])
def test_every_match_path_answers_in_both_slash_forms(
    client: httpx.Client, artist: str, enrolled: Any, file: Any, path: str, slash: str
) -> None:
    answer = client.post(path.format(a=artist) + slash, files=file)
    assert answer.status_code == 200
    assert answer.json()["message"] == "Matched"


@pytest.mark.parametrize("path", ["/status", "/list-pickles", "/health"])
def test_get_paths_answer_in_both_slash_forms(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == client.get(path + "/").status_code == 200


def test_match_keys_come_in_order_and_score_is_a_string(
    client: httpx.Client, artist: str, enrolled: Any, file: Any
) -> None:
    answer = client.post("/match", params={"artist_id": artist}, files=file)
    row = f'{{"artistId":"{artist}","entryId":"entry","viewId":"main","score":"1.0000"}}'
    assert answer.text == f'{{"matches":[{row}],"status":"success","message":"Matched"}}'


def test_artist_id_restricts_the_search(client: httpx.Client, enrolled: Any, file: Any) -> None:
    answer = client.post("/match/nobody", files=file)
    assert answer.json() == {"matches": [], "status": "success", "message": "Matched"}


@pytest.mark.parametrize("style", ["json", "urlencoded", "multipart"])
def test_img_url_is_taken_from_json_forms_and_multipart(
    client: httpx.Client,
    artist: str,
    enrolled: Any,
    web_page: Callable[[bytes], str],
    pictures: Callable[..., bytes],
    style: str,
) -> None:
    fields = {"imgUrl": web_page(pictures(1))}
    sent = {
        "json": {"json": fields},
        "urlencoded": {"data": fields},
        "multipart": {"files": {"imgUrl": (None, fields["imgUrl"])}},
    }
    answer = client.post(f"/match/{artist}", **sent[style])
    assert answer.json()["matches"][0]["artistId"] == artist


def test_img_url_wins_over_the_file_in_match(
    client: httpx.Client, artist: str, enrolled: Any, web_page: Callable[[bytes], str], pictures: Callable[..., bytes]
) -> None:
    sent = {"imgFile": ("a.png", b"no picture", "image/png")}
    answer = client.post(f"/match/{artist}", data={"imgUrl": web_page(pictures(1))}, files=sent)
    assert answer.json()["matches"][0]["score"] == "1.0000"


def test_an_empty_img_url_lets_the_file_win(client: httpx.Client, artist: str, enrolled: Any, file: Any) -> None:
    answer = client.post(f"/match/{artist}", data={"imgUrl": ""}, files=file)
    assert len(answer.json()["matches"]) == 1


@pytest.mark.parametrize(
    "url",
    ["nonsense", "ftp://example.org/a.png", "ftps://example.org/a", "http://", "file:///etc/passwd", "http://nodots/"],
)
def test_a_misshapen_url_is_refused(client: httpx.Client, url: str) -> None:
    answer = client.post("/match", json={"imgUrl": url})
    assert (answer.status_code, answer.json()) == (400, {"detail": "Invalid image url"})


@pytest.mark.parametrize("name", ["a.txt", "a", "png", "a.png.exe", "a.svg"])
def test_a_file_name_without_a_picture_ending_is_refused(
    client: httpx.Client, pictures: Callable[..., bytes], name: str
) -> None:
    answer = client.post("/match", files={"imgFile": (name, pictures(1))})
    assert (answer.status_code, answer.json()) == (400, {"detail": "Invalid image file"})


@pytest.mark.parametrize(
    "ending", ["png", "jpg", "jpeg", "tiff", "bmp", "gif", "tif", "webp", "heic", "heif", "avif", "JPG"]
)
def test_the_content_decides_whatever_the_ending(
    client: httpx.Client, artist: str, enrolled: Any, pictures: Callable[..., bytes], ending: str
) -> None:
    answer = client.post(f"/match/{artist}", files={"imgFile": (f"photo.{ending}", pictures(1))})
    assert len(answer.json()["matches"]) == 1


@pytest.mark.parametrize(
    "sent", [{}, {"json": {}}, {"data": {"imgUrl": ""}}, {"json": {"imgUrl": None}}, {"files": {"imgFile": ("", b"")}}]
)
def test_neither_input_is_no_image(client: httpx.Client, sent: dict[str, Any]) -> None:
    answer = client.post("/match", **sent)
    assert (answer.status_code, answer.json()) == (400, {"detail": "No image provided"})


def test_an_undecodable_file_is_an_invalid_file(client: httpx.Client) -> None:
    answer = client.post("/match", files={"imgFile": ("a.png", b"no picture")})
    assert (answer.status_code, answer.json()) == (400, {"detail": "Invalid image file"})


def test_enrol_answers_with_the_ids(client: httpx.Client, artist: str, enrolled: Any) -> None:
    expected = {"status": "success", "message": f"Added image {artist}/entry/main to index"}
    assert (enrolled.status_code, enrolled.json()) == (200, expected)


def test_enrol_takes_ids_from_the_query_on_the_short_path(client: httpx.Client, artist: str, file: Any) -> None:
    ids = {"artist_id": artist, "entry_id": "e", "view_id": "v"}
    answer = client.post("/artist/image/", params=ids, files=file)
    assert answer.json()["message"] == f"Added image {artist}/e/v to index"


def test_enrol_keeps_extra_fields_as_metadata(client: httpx.Client, artist: str, file: Any) -> None:
    client.post(f"/artist/image/{artist}/e/v", files=file, data={"title": "Night", "description": "stars"})
    view = client.get(f"/api/v1/artists/{artist}/entries/e/views/v").json()
    assert view["metadata"] == {"title": "Night", "description": "stars"}


def test_the_file_wins_in_enrol(client: httpx.Client, artist: str, file: Any) -> None:
    answer = client.post(f"/artist/image/{artist}/e/v", files=file, data={"imgUrl": "nonsense"})
    assert answer.status_code == 200


@pytest.mark.parametrize("style", ["json", "data"])
def test_enrol_takes_img_url(
    client: httpx.Client, artist: str, web_page: Callable[[bytes], str], pictures: Callable[..., bytes], style: str
) -> None:
    answer = client.post(f"/artist/image/{artist}/e/v", **{style: {"imgUrl": web_page(pictures(2))}})
    assert answer.status_code == 200


def test_enrol_without_an_image_says_so(client: httpx.Client) -> None:
    answer = client.post("/artist/image/a/b/c")
    assert (answer.status_code, answer.json()) == (400, {"detail": "No image provided"})


@pytest.mark.parametrize("query", [{}, {"artist_id": "a"}, {"artist_id": "a", "entry_id": "b", "view_id": " "}])
def test_enrol_with_incomplete_ids_says_so(client: httpx.Client, file: Any, query: dict[str, Any]) -> None:
    answer = client.post("/artist/image", params=query, files=file)
    assert (answer.status_code, answer.json()) == (400, {"detail": "Invalid request parameters"})


def test_enrol_of_no_picture_is_an_invalid_file(client: httpx.Client) -> None:
    answer = client.post("/artist/image/a/b/c", files={"imgFile": ("a.png", b"no picture")})
    assert (answer.status_code, answer.json()) == (400, {"detail": "Invalid image file"})


def test_a_batch_counts_what_was_added(
    client: httpx.Client, artist: str, web_page: Callable[[bytes], str], pictures: Callable[..., bytes]
) -> None:
    images = [{"artist_id": artist, "entry_id": f"e{n}", "view_id": "v", "url": web_page(pictures(n))} for n in (3, 4)]
    answer = client.post("/artist/image", json={"images": images})
    assert answer.json() == {"status": "success", "message": "Added 2 images to index"}


def test_a_batch_names_what_failed(
    client: httpx.Client, artist: str, web_page: Callable[[bytes], str], pictures: Callable[..., bytes]
) -> None:
    one = {"artist_id": artist, "entry_id": "e", "view_id": "v"}
    images = [{**one, "url": "nonsense"}, {**one, "url": web_page(pictures(5))}, {**one, "url": web_page(b"no")}]
    answer = client.post("/artist/image", json={"images": images}).json()
    assert (answer["message"], [row["index"] for row in answer["failed"]]) == ("Added 1 images to index", [0, 2])
    assert answer["failed"][0]["error"] == "Invalid image url"


def test_a_batch_of_failures_is_400(client: httpx.Client) -> None:
    one = {"artist_id": "a", "entry_id": "e", "view_id": "v", "url": "nonsense"}
    answer = client.post("/artist/image", json={"images": [one]})
    assert answer.status_code == 400
    assert isinstance(answer.json()["detail"], str)


def test_a_batch_item_of_another_form_is_422(client: httpx.Client) -> None:
    answer = client.post("/artist/image", json={"images": [{"artist_id": 7}]})
    expected = {
        "type": "string_type",
        "loc": ["body", "images", 0, "artist_id"],
        "msg": "Input should be a valid string",
    }
    assert (answer.status_code, answer.json()) == (422, {"detail": [expected]})


@pytest.mark.parametrize("body", [b"{", b'{"imgUrl":', b"[]", b'"x"', b'{"imgUrl": 7}'])
def test_a_malformed_body_is_422(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/match", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert set(answer.json()["detail"][0]) == {"type", "loc", "msg"}


def test_readding_replaces(client: httpx.Client, artist: str, enrolled: Any, pictures: Callable[..., bytes]) -> None:
    client.post(f"/artist/image/{artist}/entry/main", files={"imgFile": ("b.png", pictures(9))})
    answer = client.post(f"/match/{artist}", files={"imgFile": ("b.png", pictures(9))})
    assert [row["score"] for row in answer.json()["matches"]] == ["1.0000"]


@pytest.mark.parametrize("part", ["with space", "a/b", "ü", "50%", "a.b", "a+b", " padded "])
def test_ids_are_decoded_once_and_kept_as_given(client: httpx.Client, file: Any, part: str) -> None:
    from urllib.parse import quote

    client.post(f"/artist/image/{quote(part, safe='')}/e/v", files=file)
    answer = client.post(f"/match/{quote(part, safe='')}", files=file)
    assert answer.json()["matches"][0]["artistId"] == part


def test_status_has_its_keys_in_order(client: httpx.Client) -> None:
    answer = client.get("/status")
    keys = ["status", "version", "indexed_artists", "total_images", "vector_db_status", "database_status"]
    assert list(answer.json()) == keys
    assert [answer.json()[key] for key in (keys[0], *keys[4:])] == ["running", "connected", "connected"]


def test_unified_index_answers_when_done(client: httpx.Client, enrolled: Any) -> None:
    answer = client.post("/unified-index")
    assert answer.json() == {"status": "success", "message": "Index operation completed"}


def test_list_pickles_points_to_the_database(client: httpx.Client) -> None:
    answer = client.get("/list-pickles")
    assert answer.text == '{"pickle_files":[],"message":"Using vector database instead of pickle files"}'


@pytest.mark.parametrize("path", ["/", "/health"])
def test_health_has_its_keys_in_order(client: httpx.Client, path: str) -> None:
    answer = client.get(path).json()
    assert list(answer) == ["status", "timestamp", "version", "message"]
    assert (answer["status"], answer["message"]) == ("healthy", "Arthur Image Recognition service is running")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH"])
def test_an_unknown_path_is_404(client: httpx.Client, method: str) -> None:
    answer = client.request(method, "/unknown/path")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/match", "OPTIONS, POST"),
        ("POST", "/status", "GET, HEAD, OPTIONS"),
        ("PUT", "/artist/image/a/b/c", "OPTIONS, POST"),
    ],
)
def test_a_wrong_method_is_405_with_allow(client: httpx.Client, method: str, path: str, allow: str) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.json(), answer.headers["allow"]) == (
        405,
        {"detail": "Method Not Allowed"},
        allow,
    )


def test_cors_preflight_allows_what_is_asked(client: httpx.Client) -> None:
    asked = {
        "origin": "https://page.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "x-any",
    }
    answer = client.options("/match", headers=asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "https://page.example"
    assert answer.headers["access-control-allow-headers"] == "x-any"


def test_cors_tells_strangers_nothing(client: httpx.Client) -> None:
    answer = client.get("/status", headers={"origin": "https://other.example"})
    assert "access-control-allow-origin" not in answer.headers


def test_unknown_keys_are_ignored(
    client: httpx.Client, artist: str, enrolled: Any, web_page: Callable[[bytes], str], pictures: Callable[..., bytes]
) -> None:
    body = json.dumps({"imgUrl": web_page(pictures(1)), "further": {"a": 1}})
    answer = client.post(f"/match/{artist}", content=body, headers={"content-type": "application/json"})
    assert len(answer.json()["matches"]) == 1
