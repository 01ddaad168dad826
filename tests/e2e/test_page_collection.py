"""The collection on the page: browsing, adding and removing views, what is similar, search, and pairs to review."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import put, save, work

pytestmark = pytest.mark.slow


def paged(page: Page, path: str, limit: int) -> None:
    """Make the server's pages of a list short."""
    page.route(
        re.compile(f"{path}[?]"),
        lambda route: route.continue_(url=re.sub(r"limit=\d+", f"limit={limit}", route.request.url)),
    )


def test_artists_lead_to_works_and_works_to_pictures(visit: Any) -> None:
    page = visit("/artists")
    page.get_by_role("link", name="artist-4").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("artist-4")
    expect(page.locator(".lead")).to_contain_text(re.compile("2.works in 2.pictures"))
    page.locator(".wall").get_by_role("link", name="work-5").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("work-5")
    picture = page.get_by_role("img", name="work-5, main")
    assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 512
    expect(page.get_by_role("heading", name="Similar to work-5")).to_be_visible()
    expect(page.locator(".alike .card")).to_have_count(4)


def test_covers_are_shown_for_artists(visit: Any) -> None:
    page = visit("/artists")
    cover = page.locator(".card img").first
    assert cover.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 0


def test_a_long_list_is_read_page_by_page(visit: Any) -> None:
    page = visit()
    paged(page, "/api/v1/artists", 3)
    page.get_by_role("link", name="Collection").click()
    expect(page.locator(".wall li")).to_have_count(3)
    page.get_by_role("button", name="Show more").click()
    expect(page.locator(".wall li")).to_have_count(4)
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()
    expect(page.locator(".wall li").nth(3).get_by_role("link")).to_be_focused()


def test_a_view_is_added_and_removed(visit: Any, tidied: Any, drawn: Any) -> None:
    put(tidied, drawn.new, "anna/portrait/main")
    page = visit("/artists/anna/portrait")
    page.get_by_label("Picture", exact=True).set_input_files(drawn.match)
    page.get_by_label("View id").fill("detail / left")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("status").filter(has_text="Added")).to_be_visible()
    expect(page.locator(".views li")).to_have_count(2)
    page.get_by_role("button", name="Remove portrait, detail / left").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.locator(".views li")).to_have_count(1)


def test_removing_is_asked_about_first(visit: Any) -> None:
    page = visit("/artists/artist-4/work-5")
    page.get_by_role("button", name="Remove work-5, main").click()
    page.get_by_role("dialog").get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.reload()
    expect(page.locator(".views li")).to_have_count(1)


def test_an_artist_is_removed_with_all_works(visit: Any, tidied: Any, drawn: Any) -> None:
    put(tidied, drawn.new, "bert/portrait/main")
    page = visit("/artists/bert")
    page.get_by_role("button", name="Remove this artist").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove all").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Collection")
    expect(page.locator(".wall li")).not_to_have_count(0)
    expect(page.get_by_role("link", name="bert")).to_have_count(0)


def test_what_cannot_be_added_says_why_and_keeps_the_form(visit: Any) -> None:
    page = visit("/add", expected=("422",))
    page.get_by_label("Picture", exact=True).set_input_files(
        {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"words"}
    )
    page.get_by_label("Artist id").fill("carl")
    page.get_by_label("Work id").fill("letter")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("status").filter(has_text="Not added.")).to_be_visible()
    expect(page.get_by_label("Artist id")).to_have_value("carl")


def test_words_need_an_engine_that_reads_them(visit: Any) -> None:
    page = visit("/search", expected=("409",))
    page.get_by_label("What to search for").fill("a village at night")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="reads no words")).to_be_visible()


def test_a_picture_finds_what_is_near_to_it(visit: Any, drawn: Any) -> None:
    page = visit("/search")
    page.get_by_label("A picture to search by").set_input_files(drawn.match)
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.locator(".results .card .title").first).to_have_text("work-5")


def test_a_picture_enrolled_twice_is_reviewed_and_removed(visit: Any, tidied: Any, tmp_path: Path) -> None:
    twice = save(work(11, 0), tmp_path / "twice.jpg")
    put(tidied, twice, "dora/first/main")
    put(tidied, twice, "dora/again/main")
    page = visit("/review/duplicates")
    pair = page.locator(".pairs > li").filter(has_text="again")
    expect(pair).to_contain_text("first")
    pair.get_by_role("button", name="Remove the later one").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.locator(".pairs > li").filter(has_text="again")).to_have_count(0)


def test_confusables_have_their_own_list(visit: Any) -> None:
    page = visit("/review/duplicates")
    page.get_by_role("link", name="Confusables").click()
    expect(page.get_by_role("link", name="Confusables")).to_have_attribute("aria-current", "true")
    expect(page.locator(".lead")).to_contain_text("Different works")
