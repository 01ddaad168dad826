"""Every series that rules, dashboards and the documents name is served, with the labels by which it is asked for."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from arthur import errors
from arthur.cache.counting import Event
from tests.conftest import Server
from tests.deploy.promql import Asked, asked
from tests.service_fixtures import deploy_tool

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
OPERATING = (ROOT / "docs" / "operating.md").read_text()
RULES = [rule for group in yaml.safe_load((PROMETHEUS / "rules.yml").read_text())["groups"] for rule in group["rules"]]
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
ALERTS = [rule for rule in RULES if "alert" in rule]
DASHBOARDS = sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
OF_PROMETHEUS = {"job", "instance", "le"}
CODES = {one.code for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.ArthurError)}
RARE = {
    ("code", *CODES), ("event", *Event.__args__), ("status", "429", "500"), ("route", "/readyz"),
    ("decision", "match", "unsure", "no_match"),
}  # fmt: skip


def labels_of(served: str) -> dict[str, dict[str, set[str]]]:
    """Return the values of each label by the name of the series."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for family in text_string_to_metric_families(served):
        for sample in family.samples:
            found[sample.name]["job"].add("")
            for label, value in sample.labels.items():
                found[sample.name][label].add(value)
    return found


def missing(one: Asked, served: dict[str, dict[str, set[str]]]) -> set[str]:
    """Return what a server does not give of what is asked for."""
    if one.name in RECORDED or one.name == "up":
        return set()
    labels = served.get(one.name)
    if labels is None:
        return {one.name}
    known = {label: {value for name, *values in RARE if name == label for value in values} for label, _ in one.equal}
    wrong = {f"{label}={value}" for label, value in one.equal if value not in known[label] | labels.get(label, {value})}
    return wrong | (one.labels - set(labels) - OF_PROMETHEUS)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert") or rule["record"])
def test_rules_ask_for_what_is_served(rule: dict[str, str], served: str) -> None:
    found = labels_of(served)
    assert {(one.name, what) for one in asked(rule["expr"]) for what in missing(one, found)} == set()


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda path: path.stem)
def test_dashboards_ask_for_what_is_served(dashboard: Path, served: str) -> None:
    found = labels_of(served)
    targets = [target for panel in json.loads(dashboard.read_text())["panels"] for target in panel.get("targets", [])]
    assert len(targets) > 5
    assert {
        (one.name, what) for target in targets for one in asked(target["expr"]) for what in missing(one, found)
    } == set()


@pytest.mark.parametrize("wrong", ["arthur_requests", 'arthur_requests_total{code="x"}', 'arthur_part_up{part="x"}'])
def test_what_is_not_served_is_found(wrong: str, served: str) -> None:
    assert [missing(one, labels_of(served)) for one in asked(wrong)] != [set()]


def test_legends_name_labels_by_which_their_query_groups() -> None:
    panels = [panel for path in DASHBOARDS for panel in json.loads(path.read_text())["panels"]]
    for target in (target for panel in panels for target in panel.get("targets", [])):
        labels = {label for one in asked(target["expr"]) for label in one.labels}
        assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= labels


@pytest.mark.service("promtool")
def test_each_alert_fires_when_it_should_and_only_then() -> None:
    command = [deploy_tool("promtool"), "test", "rules", str(PROMETHEUS / "rules.test.yml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.service("promtool")
def test_prometheus_takes_its_settings(tmp_path: Path) -> None:
    for name in ("prometheus.yml", "rules.yml"):
        shutil.copy(PROMETHEUS / name, tmp_path)
    (tmp_path / "arthur.key").write_text("key")
    command = [deploy_tool("promtool"), "check", "config", str(tmp_path / "prometheus.yml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.service("promtool")
def test_prometheus_finds_nothing_wrong_with_the_numbers(live: Server) -> None:
    numbers = httpx.get(f"{live.url}/metrics", timeout=60).content
    command = [deploy_tool("promtool"), "check", "metrics"]
    done = subprocess.run(command, input=numbers, capture_output=True, timeout=100)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_each_alert_is_tested_and_told_what_to_do_about() -> None:
    cases = yaml.safe_load((PROMETHEUS / "rules.test.yml").read_text())["tests"]
    fired = {case["alertname"] for test in cases for case in test["alert_rule_test"] if case["exp_alerts"]}
    quiet = {case["alertname"] for test in cases for case in test["alert_rule_test"] if not case["exp_alerts"]}
    told = re.findall(r"^\| `(Arthur\w+)` \| (\w+) \|", OPERATING, re.MULTILINE)
    assert fired == quiet == {rule["alert"] for rule in ALERTS}
    assert told == [(rule["alert"], rule["labels"]["severity"]) for rule in ALERTS]


def test_the_table_of_numbers_is_what_is_served(served: str) -> None:
    rows = re.findall(r"^\| `(arthur_\w+)` \| (\w+) \| ([\w, `]*?) ?\| (.+) \|$", OPERATING, re.MULTILINE)
    told = {name: (kind, set(re.findall(r"\w+", labels)), meaning) for name, kind, labels, meaning in rows}
    found = {}
    for family in text_string_to_metric_families(served):
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        if family.name.endswith("_created"):
            continue
        name = f"{family.name}_total" if family.type == "counter" else family.name
        kind, more, meaning = found.get(name, (family.type, set(), family.documentation))
        found[name] = kind, more | labels, meaning
    assert told == found
