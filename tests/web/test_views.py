"""The catalogue over `/api/v1`: views, entries, artists, thumbnails, state."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from PIL import Image
from websockets.sync.client import connect


@pytest.fixture
def path(artist: str) -> Any:
    return f"/api/v1/artists/{artist}/entries/entry/views/main"


def test_put_creates_then_replaces(put: Callable[..., httpx.Response]) -> None:
    first, second = put(1), put(2)
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["key"] > first.json()["key"]
    assert first.json()["vector_id"] == second.json()["vector_id"]


def test_a_put_view_is_found_by_the_next_match(
    client: httpx.Client, put: Callable[..., httpx.Response], artist: str, pictures: Callable[..., bytes]
) -> None:
    for seed in range(5):
        put(seed)
        answer = client.post("/match", params={"artist_id": artist}, files={"imgFile": ("a.png", pictures(seed))})
        assert [row["score"] for row in answer.json()["matches"]] == ["1.0000"]


def test_put_takes_multipart_json_and_raw(
    client: httpx.Client, path: str, pictures: Callable[..., bytes], web_page: Callable[[bytes], str]
) -> None:
    image = pictures(3)
    answers = [
        client.put(path, content=image, headers={"content-type": "application/octet-stream"}),
        client.put(path, files={"image": ("a.png", image)}),
        client.put(path, json={"image_base64": base64.b64encode(image).decode()}),
        client.put(path, json={"image_url": web_page(image)}),
    ]
    assert [one.status_code for one in answers] == [201, 200, 200, 200]
    assert len({one.json()["content_hash"] for one in answers}) == 1


def test_metadata_is_kept_from_each_form(client: httpx.Client, path: str, pictures: Callable[..., bytes]) -> None:
    image, asked = pictures(3), {"title": "Night"}
    encoded = base64.b64encode(image).decode()
    answers = [
        client.put(path, params={"metadata": json.dumps(asked)}, content=image, headers={"content-type": "image/png"}),
        client.put(path, files={"image": ("a.png", image)}, data=asked),
        client.put(path, files={"image": ("a.png", image)}, data={"metadata": json.dumps(asked)}),
        client.put(path, json={"image_base64": encoded, "metadata": asked}),
    ]
    assert [one.json()["metadata"] for one in answers] == [asked] * 4


@pytest.mark.parametrize("metadata", ["[1]", "nonsense", "7", json.dumps({"a": "x" * 70_000})])
def test_metadata_of_another_form_is_400(
    client: httpx.Client, path: str, pictures: Callable[..., bytes], metadata: str
) -> None:
    files = {"image": ("a.png", pictures(3))}
    assert client.put(path, files=files, data={"metadata": metadata}).status_code == 400


def test_put_of_two_pictures_is_400(client: httpx.Client, path: str, pictures: Callable[..., bytes]) -> None:
    files = [("image", ("a.png", pictures(1))), ("image", ("a.png", pictures(2)))]
    assert client.put(path, files=files).status_code == 400


def test_get_shows_what_put_answered(client: httpx.Client, put: Callable[..., httpx.Response], path: str) -> None:
    answered = put(4).json()
    assert client.get(path).json() == answered


def test_an_unchanged_view_is_304(client: httpx.Client, put: Callable[..., httpx.Response], path: str) -> None:
    tag = put(4).headers["etag"]
    answer = client.get(path, headers={"if-none-match": tag})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    assert client.get(path, headers={"if-none-match": '"0"'}).status_code == 200


def test_delete_removes_and_then_finds_nothing(
    client: httpx.Client, put: Callable[..., httpx.Response], path: str
) -> None:
    put(4)
    answers = [client.delete(path), client.delete(path), client.get(path)]
    assert [one.status_code for one in answers] == [200, 404, 404]
    assert answers[0].json() == {"removed": 1}


@pytest.mark.parametrize("part", ["a/b", "a b", "ü", "%41", "a.b", "?", "#"])
def test_ids_are_kept_as_given(client: httpx.Client, artist: str, pictures: Callable[..., bytes], part: str) -> None:
    path = f"/api/v1/artists/{artist}/entries/{quote(part, safe='')}/views/v"
    assert client.put(path, content=pictures(1), headers={"content-type": "image/png"}).json()["entry_id"] == part
    assert client.get(path).json()["entry_id"] == part


@pytest.mark.parametrize("part", ["%20", "%00", "x" * 513, "%FF"])
def test_an_id_that_names_nothing_is_400(client: httpx.Client, artist: str, part: str) -> None:
    assert client.get(f"/api/v1/artists/{artist}/entries/{part}/views/v").status_code == 400


def test_the_thumbnail_is_a_jpeg_with_a_tag(client: httpx.Client, put: Callable[..., httpx.Response]) -> None:
    link = put(5).json()["thumbnail"]
    answer = client.get(link)
    assert Image.open(io.BytesIO(answer.content)).format == "JPEG"
    assert answer.headers["content-type"] == "image/jpeg"
    assert client.get(link, headers={"if-none-match": answer.headers["etag"]}).status_code == 304


def test_a_missing_thumbnail_is_404(client: httpx.Client) -> None:
    assert client.get("/api/v1/views/007c5bab-04f3-56ac-b22a-a950383d5ca6/thumbnail").status_code == 404


def test_lists_go_page_by_page(client: httpx.Client, put: Callable[..., httpx.Response], artist: str) -> None:
    for seed in range(5):
        put(seed, entry=f"e{seed}")
    seen, cursor = [], None
    while len(seen) < 6:
        page = client.get(
            f"/api/v1/artists/{artist}/entries", params={"limit": 2, **({"cursor": cursor} if cursor else {})}
        ).json()
        seen += [row["entry_id"] for row in page["entries"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == [f"e{seed}" for seed in range(5)]


def test_a_foreign_cursor_is_400(client: httpx.Client) -> None:
    assert client.get("/api/v1/artists", params={"cursor": "nonsense"}).status_code == 400


def test_artists_and_entries_are_counted(client: httpx.Client, put: Callable[..., httpx.Response], artist: str) -> None:
    put(1, entry="one", view="a")
    put(2, entry="one", view="b")
    put(3, entry="two")
    assert client.get(f"/api/v1/artists/{artist}").json() == {"artist_id": artist, "entries": 2, "views": 3}
    assert client.get(f"/api/v1/artists/{artist}/entries/one").json()["views"] == 2
    views = client.get(f"/api/v1/artists/{artist}/entries/one/views").json()["views"]
    assert [row["view_id"] for row in views] == ["a", "b"]


def test_removing_an_entry_and_an_artist_takes_all_below(
    client: httpx.Client, put: Callable[..., httpx.Response], artist: str
) -> None:
    put(1, entry="one", view="a")
    put(2, entry="one", view="b")
    put(3, entry="two")
    assert client.delete(f"/api/v1/artists/{artist}/entries/one").json() == {"removed": 2}
    assert client.delete(f"/api/v1/artists/{artist}").json() == {"removed": 1}
    assert client.get(f"/api/v1/artists/{artist}").status_code == 404


def test_an_artist_is_told_in_numbers(client: httpx.Client, put: Callable[..., httpx.Response], artist: str) -> None:
    put(1)
    answer = client.get(f"/api/v1/artists/{artist}/analytics").json()
    assert (answer["views"], answer["formats"]) == (1, {"png": 1})
    assert client.get("/api/v1/artists/nobody/analytics").status_code == 404


def test_head_answers_without_a_body(client: httpx.Client, put: Callable[..., httpx.Response], path: str) -> None:
    put(1)
    answer = client.head(path)
    assert (answer.status_code, answer.content) == (200, b"")


def test_probes_and_status_answer(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}
    assert client.get("/api/v1/status").json()["status"] == "ok"


def test_metrics_add_up_all_workers(server: Any, client: httpx.Client) -> None:
    for _ in range(8):
        client.get("/list-pickles", headers={"connection": "close"})
    lines = client.get("/metrics").text.splitlines()
    counted = [line for line in lines if line.startswith('arthur_requests_total{method="GET",route="/list-pickles"')]
    assert len(counted) == 1
    assert float(counted[0].rpartition(" ")[2]) >= 8


def test_a_rebuild_is_told_over_the_web_socket(
    server: Any, client: httpx.Client, put: Callable[..., httpx.Response]
) -> None:
    put(1)
    with connect(f"ws://127.0.0.1:{server.port}/ws/index-progress", open_timeout=20) as socket:
        before = json.loads(socket.recv(timeout=20))
        assert client.post("/api/v1/index/rebuild").status_code == 202
        after = json.loads(socket.recv(timeout=20))
        while after["state"] != "done":
            after = json.loads(socket.recv(timeout=20))
    assert after["done"] > 0
    assert set(before) == {"state", "stage", "done", "total", "at"}


def test_a_rebuild_can_be_waited_for(client: httpx.Client, put: Callable[..., httpx.Response]) -> None:
    put(1)
    answer = client.post("/api/v1/index/rebuild", params={"wait": "true"})
    assert (answer.status_code, answer.json()["state"]) == (200, "done")


def test_a_browser_gets_the_page_and_its_files(client: httpx.Client) -> None:
    page = client.get("/", headers={"accept": "text/html,*/*"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for name, kind in (("base.css", "text/css"), ("app.js", "text/javascript"), ("serif.woff2", "font/woff2")):
        assert f"/static/{name}" in page.text
        assert client.get(f"/static/{name}").headers["content-type"].startswith(kind)


@pytest.mark.parametrize("name", ["nothing.js", "..%2Fapp.py", "%2Fetc%2Fpasswd"])
def test_no_other_file_can_be_asked_for(client: httpx.Client, name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 404


def test_a_match_on_any_worker_finds_what_another_just_wrote(
    client: httpx.Client, artist: str, pictures: Callable[..., bytes]
) -> None:
    # a connection each, which any worker may get
    client.headers.update({"content-type": "image/png", "connection": "close"})
    missed = []
    for seed in range(10_000, 10_040):
        view = f"/api/v1/artists/{artist}/entries/{seed}/views/v"
        client.put(view, content=pictures(seed)).raise_for_status()
        found = client.post("/api/v1/match", content=pictures(seed)).json()["matches"]
        client.delete(view).raise_for_status()
        left = client.post("/api/v1/match", content=pictures(seed)).json()["matches"]
        missed += [seed] * (found[0]["entry_id"] != str(seed) or str(seed) in [one["entry_id"] for one in left])
    assert missed == []
