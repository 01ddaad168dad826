"""Traefik itself is in no registry that tests can reach; these claims are about what its configuration says."""

from __future__ import annotations

from pathlib import Path

import yaml

from arthur.web.routes import all_routes

FOLDER = Path(__file__).parents[2] / "deploy" / "traefik"
STATIC = yaml.safe_load((FOLDER / "traefik.yml").read_text())
HTTP = yaml.safe_load((FOLDER / "arthur.yml").read_text())["http"]


def test_routers_name_what_there_is() -> None:
    for router in HTTP["routers"].values():
        assert router["service"] in HTTP["services"]
        assert set(router.get("middlewares", ())) <= set(HTTP["middlewares"])
        assert set(router["entryPoints"]) <= set(STATIC["entryPoints"])


def test_the_limit_of_bodies_is_that_of_nginx() -> None:
    nginx = (FOLDER.parent / "nginx" / "arthur.conf").read_text()
    assert "client_max_body_size 35m;" in nginx
    assert HTTP["middlewares"]["whole-bodies"]["buffering"]["maxRequestBodyBytes"] == 35 * 2**20


def test_numbers_are_for_the_own_networks_alone() -> None:
    paths = {route.path for route in all_routes() if route.path.endswith("/metrics")}
    numbers = HTTP["routers"]["numbers"]
    assert all(f"Path(`{path}`)" in numbers["rule"] for path in paths)
    assert numbers["middlewares"] == ["own-networks"]
