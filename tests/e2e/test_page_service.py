"""What the page tells of the server: imports as they go on, its parts, its calibration, keys, and its death."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from arthur.catalog import open_catalog
from arthur.types import Lease, Listing, NewJob, Settlement
from arthur.web.engine_answers import CalibrationOut
from arthur.web.progress import IDLE
from tests.e2e.conftest import put, save, work

pytestmark = pytest.mark.slow
CURVE = {"predicted": [0.05, 0.5, 0.95], "observed": [0.04, 0.55, 0.96], "counts": [20, 5, 40]}
ELSEWHERE = "host:elsewhere"
"""What no worker of the server offers."""
HELD_OUT = {"error": 0.01, "false_accepts": 0.0, "matched": 0.9, "first": 0.97, "known": 40, "unknown": 40}
CALIBRATION = {"for_catalogue": True, "max_false_accept": 0.001, "held_out": HELD_OUT, "provenance": {"seed": 1}}
COLLECTS = """() => {
    window.told = [];
    new MutationObserver(() => window.told.push(document.querySelector(".folder .lead")?.textContent))
        .observe(document.querySelector(".folder"), { subtree: true, childList: true, characterData: true });
}"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures by two artists, one file that is no picture, and one that only says so."""
    for number in range(3):
        save(work(9, number), tmp_path / "mine" / f"emil-{number % 2}" / f"work-{number}.jpg")
    (tmp_path / "mine" / "notes.txt").write_text("left out")
    (tmp_path / "mine" / "emil-0" / "broken.jpg").write_text("no picture")
    return tmp_path / "mine"


def test_a_folder_is_imported_with_live_progress(visit: Any, tidied: Any, folder: Path) -> None:
    page = visit("/add", expected=("422",))
    page.get_by_label("Folder", exact=True).set_input_files(folder)
    expect(page.locator(".folder .lead")).to_contain_text("by 2")
    page.evaluate(COLLECTS)
    page.get_by_role("button", name="Import them").click()
    expect(page.locator(".folder .lead")).to_contain_text("3\u00a0pictures added, 1 refused")
    assert {"0 of 4", "2 of 4", "3 of 4"} <= set(page.evaluate("window.told"))
    expect(page.locator(".failures li")).to_contain_text("emil-0/broken/main")
    page.get_by_role("link", name="Collection").click()
    expect(page.get_by_role("link", name="emil-1")).to_be_visible()


def test_an_import_that_was_killed_does_not_seem_to_go_on(visit: Any, gallery: Any) -> None:
    with closing(open_catalog(f"sqlite:///{gallery.log.parent / 'data' / 'catalog.db'}")) as catalog:
        past_us = time.time_ns() // 1000 - 300 * 10**6
        catalog.jobs.put(NewJob("import", {}, ELSEWHERE, listing=Listing((({},),))), now_us=past_us)
        catalog.queue.take(Lease("w", past_us, 1), (ELSEWHERE,))
        catalog.put_note("index-progress", json.dumps(IDLE))
        expect(visit("/add").locator(".live .lead")).to_contain_text("nothing was heard of it since")


def test_an_import_by_another_program_is_seen_live(visit: Any, gallery: Any) -> None:
    page = visit("/add")
    with closing(open_catalog(f"sqlite:///{gallery.log.parent / 'data' / 'catalog.db'}")) as catalog:
        now_us, groups = time.time_ns() // 1000, (({},) * 3, ({},) * 9)
        job, _ = catalog.jobs.put(NewJob("import", {}, ELSEWHERE, listing=Listing(groups)), now_us=now_us)
        lease = Lease("w", now_us, 10**9)
        first, second = (catalog.queue.take(lease, (ELSEWHERE,), only=job.number) for _ in groups)
        catalog.queue.settle(first, Settlement(imported=3), now_us=now_us)
        expect(page.locator(".live .lead")).to_have_text("Import: 3 of 12")
        expect(page.get_by_role("progressbar", name="Progress on the server")).to_have_attribute("value", "3")
        catalog.queue.settle(second, Settlement(imported=9), now_us=now_us)
        catalog.queue.conclude(now_us=now_us)
        expect(page.locator(".live .lead")).to_contain_text("Import done: 12 of 12")


def test_a_rebuild_is_begun_and_followed(visit: Any) -> None:
    page = visit("/system")
    page.get_by_role("button", name="Compare the index with the catalogue").click()
    expect(page.locator(".live .lead")).to_contain_text("Index done")


def test_the_parts_the_engines_and_the_shipped_calibration_are_shown(visit: Any) -> None:
    page = visit("/system")
    expect(page.locator(".health")).to_have_text("All parts answer.")
    expect(page.locator("tr.own")).to_contain_text("arthur-mini")
    expect(page.get_by_text("The one that ships with Arthur decides")).to_be_visible()
    expect(page.get_by_text("Calibration error")).to_be_visible()


def test_a_calibration_of_the_catalogue_is_plotted(visit: Any) -> None:
    own = CalibrationOut.model_validate({**CALIBRATION, "reliability": CURVE}).model_dump()
    page = visit()
    page.route("**/api/v1/calibration", lambda route: route.fulfill(json=own))
    page.get_by_role("link", name="System").click()
    expect(page.get_by_text("Fitted to this very catalogue.")).to_be_visible()
    expect(page.get_by_role("img", name="Reliability: of answers given 5")).to_be_visible()
    expect(page.locator(".plot .dot")).to_have_count(3)


def test_a_dead_server_is_said_and_the_question_goes_on_when_it_is_back(
    visit: Any, serve: Callable[..., Any], drawn: Any, tmp_path: Path
) -> None:
    server = serve(tmp_path / "data")
    put(server, drawn.gallery / "artist-4" / "work-5.jpg", "artist-4/work-5/main")
    page = visit(base_url=server.url, expected=("ERR_CONNECTION", "ERR_EMPTY", "ERR_SOCKET"))
    server.kill()
    page.locator("input[type=file][multiple]").first.set_input_files(drawn.match)
    expect(page.locator("#trouble")).to_contain_text("The server does not answer")
    expect(page.locator(".verdict.waiting h1")).to_have_text("The server does not answer")
    expect(page.get_by_role("img", name="The photo that was asked about")).to_be_visible()
    serve(tmp_path / "data", port=int(server.url.rpartition(":")[2]))
    expect(page.locator(".verdict.match h1")).to_have_text("work-5")
    expect(page.locator("#trouble")).to_be_empty()


def cut_off(page: Page) -> None:
    """Let no request through until `page.unroute`."""
    page.route("**/*", lambda route: route.abort())


def test_a_list_is_read_as_soon_as_the_server_is_back(visit: Any) -> None:
    page = visit(expected=("ERR_FAILED",))
    cut_off(page)
    page.get_by_role("link", name="Collection").click()
    expect(page.locator("#trouble")).to_contain_text("The server does not answer")
    page.unroute("**/*")
    expect(page.get_by_role("link", name="artist-4")).to_be_visible()


def test_a_picture_is_added_as_soon_as_the_server_is_back(visit: Any, tidied: Any, drawn: Any) -> None:
    page = visit("/add", expected=("ERR_FAILED",))
    page.get_by_label("Picture", exact=True).set_input_files(drawn.new)
    page.get_by_label("Artist id").fill("fritz")
    page.get_by_label("Work id").fill("late")
    cut_off(page)
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("status").filter(has_text="as soon as it is back")).to_be_visible()
    page.unroute("**/*")
    expect(page.get_by_role("status").filter(has_text="Added: late, main")).to_be_visible()


def test_a_server_that_asks_for_a_key_is_given_one(visit: Any) -> None:
    page = visit(expected=("401",))
    refusal = {"type": "/problems/unauthorized", "title": "Unauthorized", "detail": "an API key is needed"}
    page.route(
        "**/api/v1/artists?*",
        lambda route: (
            route.continue_()
            if route.request.headers.get("authorization") == "Bearer secret"
            else route.fulfill(status=401, json=refusal)
        ),
    )
    page.get_by_role("link", name="Collection").click()
    page.get_by_label("API key").fill("secret")
    page.get_by_role("button", name="Use it").click()
    expect(page.get_by_role("link", name="artist-4")).to_be_visible()
    expect(page.locator(".card img").first).to_have_attribute("src", re.compile("^blob:"))
