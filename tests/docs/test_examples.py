"""The examples of the documents run as they stand, against a live server with the shipped engine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
SERVER = "http://127.0.0.1:9000"
PHOTO = "https://example.org/photo.jpg"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def blocks(document: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", (DOCS / document).read_text(), re.MULTILINE | re.DOTALL)


def run(words: list[str], folder: Path) -> str:
    environment = os.environ | {
        "CURL_HOME": str(folder),
        "PYTHONWARNINGS": "error",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, f"{words[-1]}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_recipes_run_one_after_the_other(
    gallery: str, desk: Path, artworks: list[bytes], web_page: Callable[[bytes], str]
) -> None:
    photo = web_page(artworks[0])
    (desk / ".curlrc").write_text("fail-with-body\n")
    # those by words need an engine that reads text, which the shipped one does not
    recipes = blocks("recipes.md", "sh") + [one for one in blocks("http.md", "sh") if "/search" not in one]
    said = [
        run(["bash", "-euo", "pipefail", "-c", one.replace(SERVER, gallery).replace(PHOTO, photo)], desk)
        for one in recipes
    ]
    assert said[1] == '"decision":"match"\n'
    assert [(desk / name).stat().st_size > 500 for name in ("answers.jsonl", "found.jpg", "thumbnail.jpg")] == [
        True
    ] * 3


def test_the_first_steps_lead_to_a_match(gallery: str, desk: Path, artworks: list[bytes]) -> None:
    (desk / "pictures" / "vangogh").mkdir(parents=True)
    (desk / "pictures" / "vangogh" / "starry_night.jpg").write_bytes(artworks[0])
    (desk / ".venv" / "bin").mkdir(parents=True)
    (desk / ".venv" / "bin" / "activate").write_text(f'arthur() {{ "{sys.executable}" -m arthur "$@"; }}')
    steps = blocks("quickstart.md", "sh")
    said = run(["bash", "-euo", "pipefail", "-c", "".join(steps).replace(SERVER, gallery)], desk)
    printed = run([sys.executable, "-c", blocks("quickstart.md", "python")[0].replace(SERVER, gallery)], desk)
    assert said.startswith("1 imported, 0 already there, 0 failed\nphoto.jpg: match, ")
    assert '"decision":"match"' in said
    assert printed.startswith("vangogh starry_night ")


def test_every_recipe_fails_when_the_server_does() -> None:
    calls = re.findall(r"\bcurl [^|$]*", "".join(blocks("recipes.md", "sh")))
    assert [call for call in calls if "--fail-with-body" not in call] == []


def test_the_examples_of_the_client_run(gallery: str, desk: Path) -> None:
    examples = blocks("client.md", "python")
    said = [run([sys.executable, "-c", one.replace(SERVER, gallery)], desk) for one in examples]
    expected = ["The Starry Night ", "match", "1 0\nphotos/0.jpg match", "there is no view vangogh.sunflowers.main"]
    assert [text.startswith(begin) for text, begin in zip(said, expected, strict=True)] == [True] * 4


def test_the_first_example_has_ten_lines() -> None:
    assert len(blocks("client.md", "python")[0].strip().splitlines()) == 9
