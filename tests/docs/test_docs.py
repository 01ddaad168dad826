"""The documents name only files, make targets and commands that exist."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from typer.main import get_command

from arthur.cli import app
from arthur.web.routes import all_routes
from arthur.web.routing import Route

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", document.read_text())

    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_make_targets_exist(document: Path) -> None:
    named = set(re.findall(r"(?:`|\$ )make ([a-z-]+)", document.read_text()))
    listed = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert named <= listed


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_exist(document: Path) -> None:
    named = set(re.findall(r"(?:`|\$ )arthur ([a-z]+)", document.read_text()))
    known = set(getattr(get_command(app), "commands", {}))

    assert named <= known


def test_every_command_is_documented() -> None:
    text = (ROOT / "docs" / "cli.md").read_text()

    assert [name for name in getattr(get_command(app), "commands", {}) if f"arthur {name}" not in text] == []


def test_help_lists_every_target_with_a_sentence() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert all(f"make {target} " in listed for target in ("setup", "run", "test", "lint", "bench", "help"))


def test_the_routes_are_documented_with_their_scopes() -> None:
    text = (ROOT / "docs" / "security.md").read_text()
    rows = re.findall(r"^\| `([A-Z]+ /\S*)` \| (\w+) \| ([a-z-]*) ?\|$", text, re.MULTILINE)

    assert rows == [(f"{route.method} {route.path}", route.scope, artists_of(route)) for route in all_routes()]


def artists_of(route: Route) -> str:
    """Return what the page says about keys that are restricted to artists."""
    if route.scope == "open":
        return ""
    return "one" if "{artist_id}" in route.path else "own" if route.confined else "-"


def test_the_tests_that_the_security_page_names_exist() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "security.md").read_text()))
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))

    assert len(named) > 30
    assert [name for name in named if f"def {name}(" not in tests] == []
