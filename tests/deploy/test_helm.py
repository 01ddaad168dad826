"""The chart, and the manifests rendered from it: Kubernetes takes them, and they say what Arthur understands."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from arthur.config import load_settings
from arthur.encode.address import parse_addresses
from arthur.web.routes import all_routes
from tests.deploy.commands import check_command
from tests.service_fixtures import deploy_tool

DEPLOY = Path(__file__).parents[2] / "deploy"
CHART, PLAIN = DEPLOY / "helm" / "arthur", DEPLOY / "kubernetes"
OLDEST, NEWEST = "1.27", "1.37"
SQLITE = ["image.repository=a"]
EVERYTHING = [
    "secretSettings.catalog=postgresql://a:b@c/d", "settings.blobs=s3://a", "autoscaling.enabled=true",
    "embedder.enabled=true", "embedder.gpus=0", "ingress.enabled=true",
]  # fmt: skip
EXISTING = ["existingSecret=mine", "api.replicas=3", "networkPolicy.enabled=false", "migrations.enabled=false"]
CASES = {"sqlite": SQLITE, "everything": EVERYTHING, "existing secret": EXISTING}


def helm(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(deploy_tool("helm")), *words], capture_output=True, text=True, timeout=100)


def template(*sets: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    given = [word for one in sets for word in ("--set", one)]
    return helm("template", "arthur", str(CHART), "--kube-version", f"{NEWEST}.0", *options, *given)


def plain() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((PLAIN / "arthur.yaml").read_text()))


def named(kind: str, name: str) -> dict[str, Any]:
    return next(one for one in plain() if (one["kind"], one["metadata"]["name"]) == (kind, name))


def containers() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield each container of the plain manifests with its pod."""
    for one in plain():
        if one["kind"] in ("StatefulSet", "Job"):
            pod = one["spec"]["template"]["spec"]
            for container in pod["containers"]:
                yield container, pod


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The schemas of Kubernetes as kubeconform reads them: without the address that their references start from."""
    folder = tmp_path_factory.mktemp("schemas")
    source = files(kubernetes_validate) / "kubernetes-json-schema" / f"v{NEWEST}.0-local-strict"
    kinds = {kind.lower() for name in CASES for kind in re.findall(r"^kind: (\w+)", _rendered(name), re.MULTILINE)}
    for path in source.iterdir():
        if path.name.partition("-")[0] in kinds or path.name == "_definitions.json":
            schema = json.loads(path.read_text().replace("/api/_definitions.json", "_definitions.json"))
            schema.pop("$id", None)
            (folder / path.name).write_text(json.dumps(schema))
    return folder


def _rendered(case: str) -> str:
    done = template(*CASES[case])
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_kubernetes_takes_the_plain_manifests(version: str) -> None:
    for one in plain():
        kubernetes_validate.validate(one, version, strict=True)


def test_a_wrong_manifest_is_found() -> None:
    wrong = named("StatefulSet", "arthur")
    wrong["spec"]["replica"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, NEWEST, strict=True)


@pytest.mark.service("helm")
def test_the_plain_manifests_are_what_the_chart_renders() -> None:
    done = template(options=("--no-hooks", "--values", str(PLAIN / "values.yaml")))
    assert (PLAIN / "arthur.yaml").read_text().partition("\n---\n")[2] == done.stdout.removeprefix("---\n"), done.stderr


@pytest.mark.service("helm")
@pytest.mark.parametrize("sets", CASES.values(), ids=CASES)
def test_helm_finds_nothing_wrong(sets: list[str]) -> None:
    done = helm(
        "lint", "--strict", "--kube-version", f"{NEWEST}.0", str(CHART), *[w for one in sets for w in ("--set", one)]
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.service("helm", "kubeconform")
@pytest.mark.parametrize("case", CASES)
def test_kubernetes_takes_what_the_chart_renders(case: str, schemas: Path) -> None:
    location = f"{schemas}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"
    command = [str(deploy_tool("kubeconform")), "-strict", "-schema-location", location, "-"]
    done = subprocess.run(command, input=_rendered(case), capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.service("helm")
@pytest.mark.parametrize(
    ("sets", "why"),
    [
        (["api.replicas=2"], "needs a catalogue"),
        (["api.replicas=2", "secretSettings.catalog=postgresql://a/b"], "needs a blob store"),
        (["autoscaling.enabled=true"], "needs a catalogue"),
        (["settings.Log-Level=info"], "Log-Level"),
        (["api.replicas=0"], "minimum"),
    ],
)
def test_values_that_cannot_work_are_refused(sets: list[str], why: str) -> None:
    done = template(*sets)
    assert done.returncode != 0
    assert why in done.stderr


@pytest.mark.service("helm")
def test_the_schema_is_migrated_before_new_pods_where_pods_share_a_catalogue() -> None:
    hooks = [one for one in yaml.safe_load_all(_rendered("everything")) if "annotations" in one["metadata"]]
    ordered = {one["kind"]: one["metadata"]["annotations"].get("helm.sh/hook-weight") for one in hooks}
    assert (ordered["Secret"], ordered["Job"]) == ("-1", "0")
    assert "kind: Job" not in _rendered("sqlite")
    job = next(one for one in hooks if one["kind"] == "Job")
    check_command(job["spec"]["template"]["spec"]["containers"][0]["command"])


def test_the_chart_is_of_this_release() -> None:
    cargo = (DEPLOY.parent / "Cargo.toml").read_text()
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == re.search(r'^version = "(.+)"', cargo, re.MULTILINE)[1]


def test_commands_are_those_of_arthur() -> None:
    for container, _ in containers():
        check_command(container["command"])


def test_settings_are_those_of_arthur(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {one["name"]: one["value"] for container, _ in containers() for one in container["env"]}
    for name, value in {**given, **named("Secret", "arthur-settings")["stringData"]}.items():
        assert name.removeprefix("ARTHUR_").lower() in type(load_settings()).model_fields
        monkeypatch.setenv(name, value)
    assert len(parse_addresses(load_settings().engine)) == 2


def test_nobody_runs_as_root_and_nothing_is_written_but_volumes() -> None:
    for container, pod in containers():
        security: Mapping[str, Any] = container["securityContext"]
        assert (pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["runAsUser"]) == (True, 10001)
        assert (security["readOnlyRootFilesystem"], security["allowPrivilegeEscalation"]) == (True, False)
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/data", "/tmp"}


def test_probes_ask_what_is_served() -> None:
    paths = {route.path for route in all_routes() if route.scope == "open"}
    for container, _ in containers():
        probes = {name: container[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
        assert {probe["path"] for probe in probes.values()} <= paths
        assert probes["readinessProbe"]["path"] == "/readyz"
        assert {probe["port"] for probe in probes.values()} == {container["ports"][0]["name"]}


def test_the_embedding_services_are_asked_by_their_names() -> None:
    engine = next(
        one["value"] for container, _ in containers() for one in container["env"] if one["name"] == "ARTHUR_ENGINE"
    )
    pods, service = named("StatefulSet", "arthur-embedder"), named("Service", "arthur-embedder")
    hosts = [f"{pods['metadata']['name']}-{n}.{pods['spec']['serviceName']}" for n in range(pods["spec"]["replicas"])]
    assert [address.host for address in parse_addresses(engine)] == hosts
    assert service["spec"]["clusterIP"] == "None"
