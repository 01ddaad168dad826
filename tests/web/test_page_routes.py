"""What the page lives on: its policy, covers for lists, engines and the calibration."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from arthur.web.engine_answers import CalibrationOut, EnginesOut


def test_the_page_may_load_nothing_from_elsewhere_and_run_nothing_inline(client: httpx.Client) -> None:
    policy = client.get("/", headers={"accept": "text/html"}).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert not any(word in policy for word in ("unsafe", "http", "*"))


def test_artists_and_entries_are_shown_by_their_first_view(
    client: httpx.Client, put: Callable[..., httpx.Response], artist: str
) -> None:
    first = put(1, view="a").json()
    put(2, view="b")
    stored = client.get(first["thumbnail"])
    for path in (f"/api/v1/artists/{artist}/thumbnail", f"/api/v1/artists/{artist}/entries/entry/thumbnail"):
        cover = client.get(path)
        assert (cover.content, cover.headers["etag"]) == (stored.content, stored.headers["etag"])


def test_nothing_has_no_cover(client: httpx.Client) -> None:
    assert client.get("/api/v1/artists/nobody/thumbnail").status_code == 404


def test_the_engines_and_the_one_in_use_are_listed(client: httpx.Client) -> None:
    engines = EnginesOut.model_validate(client.get("/api/v1/engines").json()).engines
    assert "arthur-mini" in [one.name for one in engines if one.ready]


def test_the_calibration_says_how_good_it_was(client: httpx.Client) -> None:
    calibration = CalibrationOut.model_validate(client.get("/api/v1/calibration").json())
    assert calibration.held_out is not None
    assert (calibration.for_catalogue, calibration.reliability) == (False, None)


def test_what_is_unchanged_keeps_the_policy_it_was_given(client: httpx.Client) -> None:
    tag = client.get("/static/base.css").headers["etag"]
    again = client.get("/static/base.css", headers={"if-none-match": tag})
    assert (again.status_code, again.headers.get("content-security-policy")) == (304, None)
