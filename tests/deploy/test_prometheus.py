"""A real Prometheus with our rules scrapes a real server, and our dashboards ask it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.conftest import Server, free_port
from tests.deploy.promql import VARIABLES
from tests.service_fixtures import deploy_tool

DEPLOY = Path(__file__).parents[2] / "deploy"
WAIT_S = 100
NEVER_HERE = ("arthur_embedder_", "arthur:match_share", "arthur:errors", "arthur_part_up", 'event=~"faults|skipped"')
"""What a server that is well, has no embedding services and was asked for seconds has no values of."""

pytestmark = [pytest.mark.service("prometheus"), pytest.mark.slow]


def settings(live: Server) -> dict[str, Any]:
    """Return our configuration with the address of the server and short intervals."""
    given = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    arthur = given["scrape_configs"][0]
    arthur["static_configs"] = [{"targets": [live.url.removeprefix("http://")]}]
    times = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    rules = [str(DEPLOY / "prometheus" / "rules.yml")]
    return {**given, "global": times, "rule_files": rules, "scrape_configs": [arthur]}


@pytest.fixture(scope="module")
def prometheus(live: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of Prometheus, which has scraped the server thrice."""
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings(live)))
    (folder / "arthur.key").write_text("a server that demands no key takes any")
    options = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data", "--log.level=error"]
    command = [str(deploy_tool("prometheus")), *options, f"--web.listen-address=127.0.0.1:{port}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command, "--enable-feature=exemplar-storage"], stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1/", timeout=WAIT_S) as client:
            end = time.monotonic() + WAIT_S
            while not _scraped(client):
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < end
                time.sleep(0.2)
            yield client
    finally:
        process.terminate()
        process.wait(WAIT_S)


def _scraped(client: httpx.Client) -> bool:
    try:
        found = client.get("query", params={"query": "count_over_time(arthur_workers[1m]) >= 3"})
    except httpx.TransportError:
        return False
    return found.status_code == 200 and bool(found.json()["data"]["result"])


def queries() -> list[str]:
    dashboards = [json.loads(path.read_text()) for path in (DEPLOY / "grafana" / "dashboards").glob("*.json")]
    panels = [panel for dashboard in dashboards for panel in dashboard["panels"]]
    found = [target["expr"] for panel in panels for target in panel.get("targets", [])]
    for variable, value in VARIABLES.items():
        found = [one.replace(variable, value) for one in found]
    return found


def test_panels_show_something(prometheus: httpx.Client) -> None:
    empty = []
    for query in queries():
        told = prometheus.get("query", params={"query": query}).json()
        assert told["status"] == "success", told
        if not told["data"]["result"] and not any(word in query for word in NEVER_HERE):
            empty.append(query)
    assert empty == []


def test_rules_are_evaluated_and_nothing_is_alarming(prometheus: httpx.Client) -> None:
    rules = [rule for group in prometheus.get("rules").json()["data"]["groups"] for rule in group["rules"]]
    assert {rule["health"] for rule in rules} == {"ok"}
    assert [rule["name"] for rule in rules if rule.get("state") not in (None, "inactive")] == []


def test_exemplars_lead_to_requests(prometheus: httpx.Client) -> None:
    asked = {"query": 'arthur_request_seconds_bucket{route="/api/v1/match"}', "start": 0, "end": time.time() + 60}
    found = prometheus.get("query_exemplars", params=asked).json()["data"]
    ids = {exemplar["labels"]["request_id"] for series in found for exemplar in series["exemplars"]}
    assert {len(one) for one in ids} == {32}
