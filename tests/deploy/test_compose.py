"""Claims of compose.yaml: Compose takes it with each profile, and it says what Arthur and its own files understand."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from arthur.config import load_settings
from tests.deploy.commands import check_command
from tests.service_fixtures import deploy_tool

ROOT = Path(__file__).parents[2]
SERVICES = ROOT / "deploy" / "compose" / "services.env"
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
PROFILES = {
    (): {"arthur"},
    ("public",): {"arthur", "nginx"},
    ("watched",): {"arthur", "prometheus", "grafana"},
    ("services",): {"arthur", "embedder", "postgres", "valkey"},
    ("services", "qdrant"): {"arthur", "embedder", "postgres", "qdrant", "valkey"},
    ("gpu",): {"arthur", "embedder-gpu", "postgres", "valkey"},
}


def settings_of_services() -> dict[str, str]:
    lines = [line for line in SERVICES.read_text().splitlines() if line and not line.startswith("#")]
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def resolved(given: dict[str, str]) -> dict[str, str]:
    """Return the settings of the server as Compose fills them in."""
    environment = COMPOSE["services"]["arthur"]["environment"]
    return {
        name: re.sub(r"\$\{(\w+):-(.*)\}", lambda found: given.get(found[1], found[2]), value)
        for name, value in environment.items()
    }


@pytest.mark.service("docker-compose")
@pytest.mark.parametrize(("profiles", "services"), PROFILES.items(), ids=lambda one: "+".join(sorted(one)) or "none")
def test_compose_takes_each_profile(profiles: tuple[str, ...], services: set[str]) -> None:
    chosen = [word for profile in profiles for word in ("--profile", profile)]
    command = [str(deploy_tool("docker-compose")), "--env-file", str(SERVICES), *chosen, "config", "--format", "json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stderr) == (0, "")
    assert set(json.loads(done.stdout)["services"]) == services


@pytest.mark.parametrize("given", [{}, settings_of_services()], ids=["alone", "services"])
def test_settings_are_those_of_arthur(given: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in resolved(given).items():
        assert name.removeprefix("ARTHUR_").lower() in type(load_settings()).model_fields
        monkeypatch.setenv(name, value)
    loaded = load_settings()
    assert (loaded.engine, loaded.cache) == (
        given.get("ARTHUR_ENGINE", "arthur-mini"),
        given.get("ARTHUR_CACHE", "memory:?max_mb=64"),
    )


def test_what_services_name_is_a_service() -> None:
    hosts = set(re.findall(r"(?:@|://)([a-z-]+)[:/]", SERVICES.read_text())) - {"arthur"}
    assert hosts == {"postgres", "valkey", "embedder"} <= set(COMPOSE["services"])


def test_commands_are_those_of_arthur() -> None:
    for name in ("embedder", "embedder-gpu"):
        check_command(
            [word.replace("${EMBEDDER_ENGINE:-arthur-mini}", "a") for word in COMPOSE["services"][name]["command"]]
        )


def _mounts() -> list[str]:
    volumes = [one for service in COMPOSE["services"].values() for one in service.get("volumes", [])]
    return [one.partition(":")[0] for one in volumes]


def test_what_is_mounted_is_there() -> None:
    for source in _mounts():
        assert (ROOT / source).exists() if source.startswith("./") else source in COMPOSE["volumes"]


def test_only_the_proxy_is_open_to_other_machines() -> None:
    ports: dict[str, Any] = {name: service.get("ports", []) for name, service in COMPOSE["services"].items()}
    public = {name for name, opened in ports.items() if any(not one.startswith("127.0.0.1:") for one in opened)}
    assert public == {"nginx"}


def test_images_of_others_are_pinned() -> None:
    images = [service["image"] for service in COMPOSE["services"].values() if not service["image"].startswith("arthur")]
    assert [image for image in images if not re.search(r":v?\d[\w.-]*\d", image)] == []


def test_nginx_finds_the_server_by_its_name() -> None:
    config = (ROOT / "deploy" / "nginx" / "arthur.conf").read_text()
    script = COMPOSE["services"]["nginx"]["command"][2].split(" && ")[0]
    assert script.startswith("sed 's/127.0.0.1:9000/arthur:9000/' /etc/nginx/arthur.conf.template")
    assert "server 127.0.0.1:9000;" in config


def test_prometheus_asks_the_services_there_are() -> None:
    jobs = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    arthur, embedder = jobs
    assert arthur["static_configs"][0]["targets"] == ["arthur:9000"]
    assert set(embedder["dns_sd_configs"][0]["names"]) <= set(COMPOSE["services"])
