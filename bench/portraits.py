"""Photographs the page itself for docs/page.md: `python -m bench.portraits [--into docs/images]`.

Everything on the pictures is drawn: a gallery is painted, imported, calibrated and served, and photos of it are taken
by simulation. A few minutes, and Chromium, are needed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from arthur.simulation.photo import photograph
from bench.artphoto.paintings import painting
from bench.demo import free_port

ARTISTS = {
    0: ("Maren Alder", ("Undergrowth", "After Rain", "Reeds, Morning", "Dusk at the Ford", "Birches", "The Thicket")),
    1: (
        "Tomas Vidal",
        ("Orchard by Moonlight", "Red Grove", "Mill Road", "Evening Village", "Hill Farms", "Red Roofs"),
    ),
    2: (
        "Ines Farrow",
        ("Night Passage", "Three Sails", "Calm, with Moon", "Grey Regatta", "Lantern Sea", "Last Ferry"),
    ),
    4: ("Jonas Verdal", ("Plain with Crows", "Rose Lake", "Two Suns", "The Grey Peak", "Dry Orchard", "Black Barns")),
    5: ("Clara Quist", ("Wheat", "Hollow Lane", "Bracken", "Harvest Sky", "Hedgerows", "Stubble Fire")),
    7: ("Aksel Noor", ("Winter Wood", "Blue Hamlet", "Frost Fair", "Night Harbour", "The Pass", "Low Cloud")),
}
COMPUTER = {"viewport": {"width": 1200, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True}
COLOURS = 256
ACCENTS = ("1c6847", "1f8a5b", "9a3324", "7fd0a6", "7fe0b0", "f39a8a", "f5f2ec", "161513")
"""Of the style sheet: a palette made of the pictures alone would lose them."""


def paint(folder: Path) -> Path:
    """Paint the gallery with a manifest that names its works; return the manifest."""
    rows = []
    for artist, (name, titles) in ARTISTS.items():
        for number, title in enumerate(titles):
            path = folder / f"{artist}-{number}.jpg"
            Image.fromarray(painting(artist, number, 0, size=512)).save(path, quality=90)
            ids = {"artist_id": name.lower().replace(" ", "-"), "entry_id": title.lower().replace(" ", "-")}
            rows.append({**ids, "path": path.name, "title": title, "artist": name, "year": 1901 + 7 * artist + number})
    manifest = folder / "works.jsonl"
    manifest.write_text("\n".join(map(json.dumps, rows)))
    return manifest


def take(folder: Path) -> dict[str, Path]:
    """Take the photos that are asked about."""
    taken = {
        "match": photograph(painting(4, 5, 0, size=512), 7, severity=1)[0],
        "unknown": photograph(painting(14, 2, 0, size=512), 5, severity=1)[0],
    }
    taken["two"] = _beside(taken["match"], photograph(painting(1, 3, 0, size=512), 4, severity=1)[0])
    for name, photo in taken.items():
        Image.fromarray(photo).save(folder / f"{name}.jpg", quality=88)
    return {name: folder / f"{name}.jpg" for name in taken}


def _beside(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    height = min(len(one), len(other))
    return np.concatenate([one[:height], other[:height]], axis=1)


def arthur(*words: object) -> list[str]:
    """Return the command line of a command of Arthur's."""
    return [sys.executable, "-m", "arthur", *map(str, words)]


@contextmanager
def served(data: Path) -> Iterator[str]:
    """Serve a data folder; yield the address."""
    port = free_port(0)
    server = subprocess.Popen(arthur("serve", "--data", data, "--port", port, "--workers", 1))
    try:
        for _ in range(600):
            try:
                if httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def portray(browser: Browser, base: str, photos: dict[str, Path], into: Path) -> None:
    """Take the pictures of the page."""
    dark = {"color_scheme": "dark"}
    with _page(browser, base, COMPUTER) as page:
        _asked(page, photos["match"])
        _shoot(page, into / "page-match.png")
        page.goto(f"{base}/#/artists")
        page.locator(".card").first.wait_for()
        _shoot(page, into / "page-collection.png")
        page.goto(f"{base}/#/system")
        page.locator(".plot").wait_for()
        page.evaluate("scrollTo(0, document.querySelector('.part').offsetTop - 20)")
        _shoot(page, into / "page-calibration.png")
    with _page(browser, base, {**COMPUTER, **dark}) as page:
        _asked(page, photos["unknown"])
        _shoot(page, into / "page-no-match-dark.png")
    with _page(browser, base, PHONE) as page:
        _shoot(page, into / "page-phone.png")
    with _page(browser, base, {**PHONE, **dark}) as page:
        _asked(page, photos["two"])
        _shoot(page, into / "page-phone-dark.png")


@contextmanager
def _page(browser: Browser, base: str, given: dict[str, object]) -> Iterator[Page]:
    context = browser.new_context(reduced_motion="reduce", **given)  # type: ignore[arg-type]  # what a device is like
    page = context.new_page()
    page.goto(base)
    page.locator("h1").wait_for()
    yield page
    context.close()


def _asked(page: Page, photo: Path) -> None:
    page.locator("input[type=file][multiple]").first.set_input_files(photo)
    page.locator(".fine").wait_for()


def _shoot(page: Page, path: Path) -> None:
    """Keep what is in view as a small PNG."""
    page.locator("h1").first.wait_for()
    page.wait_for_function("() => [...document.images].every((one) => one.complete)")
    page.screenshot(path=path)
    with Image.open(path) as shot:
        _palettised(shot.convert("RGB")).save(path, optimize=True)
    print(path, path.stat().st_size)


def _palettised(shot: Image.Image) -> Image.Image:
    found = shot.quantize(COLOURS - len(ACCENTS)).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette(found[: 3 * (COLOURS - len(ACCENTS))] + list(bytes.fromhex("".join(ACCENTS))))
    return shot.quantize(palette=palette, dither=Image.Dither.NONE)


def main() -> None:
    """Paint, import, calibrate, serve and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=Path("docs/images"))
    parser.add_argument("--photos", type=int, default=200, help="photos of the calibration")
    given = parser.parse_args()
    given.into.mkdir(parents=True, exist_ok=True)
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        raise SystemExit("there is no Chromium")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        subprocess.run(arthur("import", paint(folder), "--data", folder / "data"), check=True)
        subprocess.run(arthur("calibrate", "--photos", given.photos, "--data", folder / "data"), check=True)
        photos = take(folder)
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        with served(folder / "data") as base:
            portray(browser, base, photos, given.into)
        browser.close()


if __name__ == "__main__":
    main()
