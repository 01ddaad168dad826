"""The commands of docs/operating.md: each is run or parsed here, or belongs to what the page says was not run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from arthur.config import load_settings
from tests.deploy.commands import check_command

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operating.md").read_text()
COMMANDS = [shlex.split(line) for line in re.findall(r"^\$ (.+)$", PAGE, re.MULTILINE)]
PROJECT = (ROOT / "pyproject.toml").read_text()


def of(program: str) -> list[list[str]]:
    return [words for words in COMMANDS if program in words and words.index(program) == len(settings(words))]


def settings(words: list[str]) -> list[str]:
    return [word for word in words if re.match(r"[A-Z_]+=", word)]


def test_every_command_is_of_a_kind_that_is_looked_at() -> None:
    known = sum(len(of(program)) for program in ("arthur", "pip", "docker", "helm", "kubectl", "promtool"))
    assert known == len(COMMANDS) > 8


@pytest.mark.parametrize("words", of("arthur"), ids=" ".join)
def test_commands_of_arthur_are_understood(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (one.split("=", 1) for one in settings(words)):
        assert name.removeprefix("ARTHUR_").lower() in type(load_settings()).model_fields
        monkeypatch.setenv(name, value)
    load_settings()
    check_command(words[len(settings(words)) :])


def test_extras_are_those_of_the_package() -> None:
    named = {extra for group in re.findall(r"arthur-imgreco\[([\w,]+)\]", PAGE) for extra in group.split(",")}
    assert {extra for extra in named if not re.search(rf"^{extra} = \[", PROJECT, re.MULTILINE)} == set()


def test_profiles_are_those_of_compose() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"].values()
    known = {profile for service in services for profile in service.get("profiles", ())}
    named = {words[at + 1] for words in of("docker") for at, word in enumerate(words) if word == "--profile"}
    assert named <= known
    assert all(f"`{profile}`" in PAGE for profile in known - {"watched"})


def test_files_are_in_the_project() -> None:
    named = set(re.findall(r"(?<![\w/])((?:deploy|docs)/[\w./-]+)", PAGE)) | {"compose.yaml"}
    assert [path for path in named if not (ROOT / path.rstrip("./")).exists()] == []


@pytest.mark.parametrize("way", ["Traefik", "Docker Compose", "Kubernetes", "Grafana"])
def test_what_was_not_run_is_said_to_be(way: str) -> None:
    (row,) = re.findall(rf"^\| {way} \|.*$", PAGE, re.MULTILINE)
    assert re.search(r"\*\*[Nn]ot run\*\*", row)
