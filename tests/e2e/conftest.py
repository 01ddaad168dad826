"""Chromium on a page of a live server over a small gallery; every picture is drawn by the simulator."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from arthur.simulation.photo import photograph
from bench.artphoto.paintings import painting
from tests.conftest import Server, servers

WORKS = ((4, 5), (4, 2), (7, 1), (2, 1), (1, 3))
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
WAIT_MS = 30_000


@dataclass
class Pictures:
    """Files of a gallery and of photos taken in it."""

    gallery: Path
    match: Path
    two: Path
    unknown: Path
    new: Path


def work(artist: int, number: int) -> np.ndarray:
    return painting(artist, number, 0, size=512)


def save(pixels: np.ndarray, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, quality=88)
    return path


def side_by_side(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    height = min(len(one), len(other))
    return np.concatenate([one[:height], other[:height]], axis=1)


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Pictures:
    folder = tmp_path_factory.mktemp("drawn")
    for artist, number in WORKS:
        save(work(artist, number), folder / "gallery" / f"artist-{artist}" / f"work-{number}.jpg")
    photo = photograph(work(4, 5), 7, severity=1)[0]
    beside = photograph(work(1, 3), 4, severity=1)[0]
    return Pictures(
        folder / "gallery",
        match=save(photo, folder / "match.jpg"),
        two=save(side_by_side(photo, beside), folder / "two.jpg"),
        unknown=save(photograph(work(14, 2), 5, severity=1)[0], folder / "unknown.jpg"),
        new=save(work(12, 0), folder / "new.jpg"),
    )


def put(server: Server, path: Path, name: str) -> None:
    """Put a picture into the catalogue; `name` is artist/entry/view."""
    artist, entry, view = name.split("/")
    address = f"{server.url}/api/v1/artists/{artist}/entries/{entry}/views/{view}"
    httpx.put(
        address, content=path.read_bytes(), headers={"content-type": "image/jpeg"}, timeout=60, verify=False
    ).raise_for_status()


@pytest.fixture(scope="session")
def gallery(drawn: Pictures, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server over the gallery, shared by the tests that leave it as it is."""
    folder = tmp_path_factory.mktemp("gallery")
    with servers(folder) as start:
        server = start(folder / "data")
        for path in sorted(drawn.gallery.glob("*/*.jpg")):
            put(server, path, f"{path.parent.name}/{path.stem}/main")
        yield server


@pytest.fixture
def tidied(gallery: Server) -> Iterator[Server]:
    """The gallery for tests that write: what they added is removed in the end."""
    yield gallery
    with httpx.Client(base_url=gallery.url, timeout=60, verify=False) as client:
        for row in client.get("/api/v1/artists").json()["artists"]:
            if not row["artist_id"].startswith("artist-"):
                client.delete(f"/api/v1/artists/{row['artist_id']}").raise_for_status()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The installed Chromium. Where there is none these tests fail: a page that nobody opened has passed nothing."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.fail("there is no Chromium: `make setup` as root installs it, or `apt-get install chromium`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@dataclass
class Visits:
    """Opens pages, and keeps what a visitor should never see: errors in the console, requests to the outside."""

    browser: Browser
    usual: BrowserContext
    base: str
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()
    opened: list[Page | BrowserContext] = field(default_factory=list)

    def __call__(self, address: str = "", *, expected: tuple[str, ...] = (), **given: Any) -> Page:
        """Open `address` (what comes behind #) on a computer, or on what is `given`.

        Console errors that hold a word of `expected` are no fault.
        """
        self.expected += expected
        if given:
            self.opened.append(self.browser.new_context(**given))
        page = (self.opened[-1] if given else self.usual).new_page()
        self.opened.append(page)
        page.set_default_timeout(WAIT_MS)
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._watch)
        page.goto(f"{given.get('base_url', self.base)}/#{address}")
        page.locator("h1").first.wait_for()
        return page

    def _watch(self, request: Any) -> None:
        host = urlsplit(request.url).hostname
        if host not in (None, "127.0.0.1"):
            self.outside.append(request.url)

    def unexpected(self) -> list[str]:
        return [error for error in self.errors if not any(word in error for word in self.expected)]


@pytest.fixture(scope="session")
def computer(chromium: Browser) -> Iterator[BrowserContext]:
    """What most visits share, so that the page's files are read once."""
    with closing(chromium.new_context(reduced_motion="reduce")) as context:
        yield context


@pytest.fixture
def visit(chromium: Browser, computer: BrowserContext, gallery: Server) -> Iterator[Visits]:
    """Open a page of the gallery: `visit("/artists")`; afterwards nothing may have gone wrong in any of them."""
    visits = Visits(chromium, computer, gallery.url)
    yield visits
    for one in reversed(visits.opened):
        one.close()
    assert visits.unexpected() == []
    assert visits.outside == []


def give(page: Page, *files: Path | dict[str, Any]) -> None:
    """Choose pictures as a visitor does by the button."""
    page.locator("input[type=file][multiple]").first.set_input_files(list(files))


@pytest.fixture
def answered() -> Callable[..., Page]:
    """Give a page pictures and wait for the answer."""

    def giving(page: Page, *files: Path | dict[str, Any]) -> Page:
        give(page, *files)
        page.locator(".fine").wait_for()
        return page

    return giving
