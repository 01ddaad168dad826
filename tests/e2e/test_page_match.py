"""Matching a photo on the page, in Chromium, against a live server."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.slow
NO_PICTURE = {"name": "notes.jpg", "mimeType": "image/jpeg", "buffer": b"these are only words"}
HANDS_OVER = """([text, kind]) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const moved = new DataTransfer();
    moved.items.add(new File([bytes], "photo.jpg", { type: "image/jpeg" }));
    const given = { bubbles: true, cancelable: true };
    document.body.dispatchEvent(kind === "drop"
        ? new DragEvent("drop", { ...given, dataTransfer: moved })
        : new ClipboardEvent("paste", { ...given, clipboardData: moved }));
}"""
NOTES_WHEN = """() => new MutationObserver(() => {
    if (document.querySelector(".verdict.match")) window.shownAt ??= performance.now();
}).observe(document.body, { subtree: true, childList: true })"""
WAITED_MS = """() => {
    const asked = performance.getEntriesByType("resource").find((one) => one.name.includes("/api/v1/match"));
    return window.shownAt - asked.responseEnd;
}"""


def test_a_photo_is_matched_outlined_and_explained(visit: Any, answered: Any, drawn: Any) -> None:
    page = answered(visit(), drawn.match)
    expect(page.locator(".verdict.match h1")).to_have_text("work-5")
    expect(page.locator(".eyebrow")).to_contain_text("Match · ")
    assert page.locator(".photo polygon.edge").count() == 1
    assert page.locator(".pair .hung img").evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 0
    expect(page.get_by_role("heading", name="Runner-up, and why not")).to_be_visible()
    expect(page.locator(".because")).to_contain_text("work-")
    expect(page.locator(".fine summary").first).to_contain_text("ms from question to answer")


def test_the_outline_lies_on_the_work(visit: Any, answered: Any, drawn: Any) -> None:
    page = answered(visit(), drawn.match)
    photo, outline = page.locator(".photo img").bounding_box(), page.locator(".photo .edge").bounding_box()
    share = outline["width"] * outline["height"] / (photo["width"] * photo["height"])
    assert 0.2 < share < 0.9
    assert photo["x"] <= outline["x"]


def test_a_photo_of_something_else_is_none_of_ours(visit: Any, answered: Any, drawn: Any) -> None:
    page = answered(visit(), drawn.unknown)
    expect(page.locator(".verdict.no_match h1")).to_have_text("None of ours")
    expect(page.locator(".reasons")).to_contain_text("No entry is similar enough")
    expect(page.get_by_role("heading", name="Nearest, and why not")).to_be_visible()
    assert page.locator(".photo polygon").count() == 0


def test_a_strict_limit_leaves_a_photo_unsure(visit: Any, answered: Any, drawn: Any) -> None:
    page = visit()
    page.route("**/api/v1/match?*", lambda route: route.continue_(url=f"{route.request.url}&max_false_accept=1e-12"))
    answered(page, drawn.match)
    expect(page.locator(".verdict.unsure h1")).to_have_text("Perhaps work-5")
    expect(page.locator(".reasons li")).not_to_have_count(0)


def test_works_side_by_side_are_both_named(visit: Any, answered: Any, drawn: Any) -> None:
    page = answered(visit(), drawn.two)
    expect(page.locator(".photo .edge")).to_have_count(2)
    beside = page.locator(".part", has=page.get_by_role("heading", name="Also in view"))
    names = {page.locator(".verdict h1").inner_text(), beside.locator(".title").inner_text()}
    assert names == {"work-5", "work-3"}


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_photo_can_be_dropped_and_pasted_on_any_view(visit: Any, drawn: Any, kind: str) -> None:
    page = visit("/artists")
    page.evaluate(HANDS_OVER, [base64.b64encode(drawn.match.read_bytes()).decode(), kind])
    expect(page.locator(".verdict.match h1")).to_have_text("work-5")


def test_several_frames_of_one_work_are_asked_about_together(visit: Any, answered: Any, drawn: Any) -> None:
    page = answered(visit(), drawn.unknown, drawn.match)
    expect(page.locator(".verdict.match h1")).to_have_text("work-5")
    frames = page.locator(".strip button")
    expect(frames.nth(1)).to_have_attribute("aria-pressed", "true")
    frames.nth(0).click()
    expect(page.locator(".photo polygon")).to_have_count(0)
    expect(frames.nth(0)).to_be_focused()


def test_parameters_are_asked_with_and_ask_again(visit: Any, answered: Any, drawn: Any) -> None:
    page = answered(visit(), drawn.match)
    page.get_by_text("How to look").click()
    page.get_by_label("Only works by").fill("artist-7")
    page.get_by_label("Only works by").press("Tab")
    expect(page.locator(".verdict.no_match h1")).to_have_text("None of ours")
    with page.expect_response("**/api/v1/match?*") as asked:
        page.get_by_label("How closely to look").select_option("never")
    assert "artist_id=artist-7" in asked.value.url
    assert "verify=never" in asked.value.url


def test_what_is_no_picture_is_said_and_nothing_is_lost(visit: Any, answered: Any, drawn: Any) -> None:
    page = visit(expected=("422",))
    page.locator("input[type=file][multiple]").first.set_input_files(NO_PICTURE)
    expect(page.locator(".verdict.problem h1")).to_have_text("That is no picture")
    expect(page.locator(".verdict.problem")).to_contain_text("The server says: ")
    expect(page.get_by_role("button", name="Ask again")).to_be_visible()
    answered(page, drawn.match)
    expect(page.locator(".verdict.match h1")).to_have_text("work-5")


def test_an_answer_is_seen_within_a_second_of_its_arrival(visit: Any, answered: Any, drawn: Any) -> None:
    page = visit()
    page.evaluate(NOTES_WHEN)
    answered(page, drawn.match)
    assert 0 <= page.evaluate(WAITED_MS) < 1000


def test_the_answer_stays_while_other_views_are_looked_at(visit: Any, answered: Any, drawn: Any) -> None:
    page: Page = answered(visit(), drawn.match)
    page.get_by_role("link", name="Collection").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Collection")
    page.go_back()
    expect(page.locator(".verdict.match h1")).to_have_text("work-5")
    expect(page.locator(".photo .edge")).to_have_count(1)


def test_a_photo_of_nothing_known_can_be_added(visit: Any, answered: Callable[..., Page], drawn: Any) -> None:
    page = answered(visit(), drawn.unknown)
    page.get_by_role("link", name="Add it to the collection").click()
    expect(page.get_by_role("img", name="The picture to be added")).to_be_visible()
    expect(page.get_by_label("Artist id")).to_be_editable()


def test_a_photo_that_the_browser_cannot_show_is_shown_as_the_server_saw_it(visit: Any, drawn: Any) -> None:
    path = drawn.match.with_suffix(".tiff")
    Image.open(drawn.match).save(path)
    page = visit()
    page.locator("input[type=file][multiple]").first.set_input_files(path)
    expect(page.locator(".photo img")).to_have_attribute("src", re.compile("^data:image/jpeg"))
