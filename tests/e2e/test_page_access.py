"""The page for everyone: by keyboard, by screen reader, on a phone, in the dark."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.conftest import PHONE

pytestmark = pytest.mark.slow
VIEWS = (
    "/",
    "/artists",
    "/artists/artist-4",
    "/artists/artist-4/work-5",
    "/search",
    "/review/duplicates",
    "/add",
    "/system",
)
SERIOUS = ("serious", "critical")


def settled(page: Page) -> Page:
    page.wait_for_load_state("networkidle")
    return page


def findings(page: Page) -> list[str]:
    """What axe calls serious, and where."""
    found = Axe().run(settled(page)).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in SERIOUS]


def go(page: Page, view: str) -> Page:
    page.evaluate("(view) => { location.hash = view }", view)
    return settled(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_view(visit: Any, scheme: str) -> None:
    page = visit(color_scheme=scheme)
    assert {view: findings(go(page, view)) for view in VIEWS} == {view: [] for view in VIEWS}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_an_answer(visit: Any, answered: Any, drawn: Any, scheme: str) -> None:
    page = answered(visit(color_scheme=scheme), drawn.two)
    page.locator(".fine summary").first.click()
    page.get_by_text("How to look").click()
    assert findings(page) == []


def test_a_photo_is_matched_by_keyboard_alone(visit: Any, drawn: Any) -> None:
    page = visit()
    page.on("filechooser", lambda _: None)  # Chromium hands choosers over from here on, and not a moment after the key
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Choose pictures")).to_be_focused()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(drawn.match)
    expect(page.locator(".verdict.match h1")).to_have_text("work-5")
    expect(page.locator(".verdict h1")).to_be_focused()


def test_all_views_are_walked_by_keyboard_and_take_the_focus(visit: Any) -> None:
    page = visit()
    for name in ("Collection", "Search", "Review", "Add", "System", "Match"):
        page.get_by_role("link", name=name, exact=True).focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("link", name=name, exact=True)).to_have_attribute("aria-current", "page")
        expect(page.locator("#main")).to_be_focused()


def test_every_stop_of_the_tab_key_is_seen(visit: Any) -> None:
    page = settled(visit("/artists/artist-4/work-5"))
    for _ in range(16):
        page.keyboard.press("Tab")
        stop = page.evaluate(
            "() => [document.activeElement.tagName, getComputedStyle(document.activeElement).outlineStyle]"
        )
        assert stop[0] == "BODY" or stop[1] != "none"


def test_what_happens_is_announced(visit: Any, answered: Any, drawn: Any) -> None:
    page = answered(visit(), drawn.match)
    expect(page.locator("#said")).to_have_text("Match: work-5")


@pytest.mark.parametrize("view", VIEWS)
def test_a_phone_shows_every_view_without_sideways_scrolling(phone: Page, view: str) -> None:
    go(phone, view)
    assert phone.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert phone.get_by_role("navigation", name="Views").bounding_box()["y"] > 700


def test_a_phone_offers_its_camera(visit: Any) -> None:
    page = visit(**PHONE)
    expect(page.get_by_role("button", name="Take a photo")).to_be_visible()
    assert page.get_by_label("Take a photo").and_(page.locator("input")).get_attribute("capture") == "environment"


def test_the_dark_scheme_is_dark(visit: Any) -> None:
    page = visit(color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(22, 21, 19)"


def test_the_page_has_nothing_inline(visit: Any) -> None:
    page = visit()
    assert page.locator("[style], style, script:not([src]), [onclick]").count() == 0


@pytest.fixture(scope="module")
def phone(chromium: Any, gallery: Any) -> Any:
    context = chromium.new_context(**PHONE)
    page = context.new_page()
    page.goto(gallery.url)
    yield page
    context.close()
