"""Fixtures that start private servers, once a session, and the report of what could not run without them."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.private_servers import (
    PrivateServer,
    pgvector_programs,
    postgres_programs,
    postgres_url,
    private_postgres,
    private_qdrant,
    private_valkey,
    schemas,
    valkey_program,
)

DEPLOY_TOOLS = Path(__file__).parents[1] / ".deploy-tools" / "bin"


def deploy_tool(name: str) -> str | None:
    """Return a program from the search path, where administrators have theirs, or one that `make test-deploy` built."""
    return shutil.which(name) or shutil.which(name, path=f"{DEPLOY_TOOLS}:/usr/sbin")


PROGRAMS: dict[str, Callable[[], object]] = {
    "postgresql": postgres_programs,
    "pgvector": pgvector_programs,
    "valkey": valkey_program,
    "nginx": partial(deploy_tool, "nginx"),
    "prometheus": partial(deploy_tool, "prometheus"),
    "promtool": partial(deploy_tool, "promtool"),
}
BUILT: dict[str, Callable[[], object]] = {
    name: partial(deploy_tool, name) for name in ("docker-compose", "helm", "kubeconform", "systemd-analyze", "traefik")
}
"""What `deploy/system-tools.sh` cannot bring: `make test-deploy` requires these."""
REQUIRED = {"ARTHUR_REQUIRE_SERVICES": PROGRAMS, "ARTHUR_REQUIRE_DEPLOY_TOOLS": BUILT}
NOT_RUN = pytest.StashKey[Counter[str]]()
_LEFT_OUT = "not_run"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests whose program is not installed, and remember how many; refuse when it is required."""
    needed = {item: {name for mark in item.iter_markers("service") for name in mark.args} for item in items}
    wanted = set().union(*needed.values())
    missing = {name for name in wanted if (PROGRAMS | BUILT)[name]() is None}
    left_out = [item for item in items if needed[item] & missing]
    config.stash[NOT_RUN] = Counter(name for item in left_out for name in needed[item] & missing)
    if not left_out:
        return
    required = _required(missing)
    if not required:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]
    elif hasattr(config, "workeroutput"):
        items.clear()  # the process that reports refuses
    else:
        raise pytest.UsageError(f"tests need {', '.join(sorted(required))}, which is not installed")


def _required(missing: set[str]) -> set[str]:
    """Return which of the missing programs the environment asks for."""
    return {name for variable, known in REQUIRED.items() if os.environ.get(variable) for name in missing & set(known)}


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where tests run in several processes, tell the one that reports what this one did not run; that one refuses."""
    not_run = session.config.stash.get(NOT_RUN, Counter())
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[_LEFT_OUT] = dict(not_run)
    elif _required(set(not_run)):
        session.exitstatus = pytest.ExitCode.USAGE_ERROR


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear what a process did not run; every one of them has collected all tests."""
    node.config.stash[NOT_RUN] = Counter(getattr(node, "workeroutput", {}).get(_LEFT_OUT, {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was not run."""
    for name, count in config.stash.get(NOT_RUN, Counter()).items():
        terminalreporter.write_line(f"NOT RUN: {count} tests need {name}, which is not installed", yellow=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PrivateServer]:
    """A PostgreSQL that tests share; one that kills its server starts its own."""
    server = private_postgres()
    yield server
    server.close()


@pytest.fixture(scope="session")
def _schemas() -> Iterator[str]:
    return schemas()


@pytest.fixture
def postgres(postgres_server: PrivateServer, _schemas: Iterator[str]) -> str:
    """The URL of an empty catalogue."""
    return postgres_url(postgres_server, schema=next(_schemas))


@pytest.fixture
def own_postgres() -> Iterator[PrivateServer]:
    """A PostgreSQL that the test may kill."""
    server = private_postgres()
    yield server
    server.close()


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[PrivateServer]:
    """A Valkey that tests share."""
    server = private_valkey()
    yield server
    server.close()


@pytest.fixture
def own_valkey() -> Iterator[Callable[..., PrivateServer]]:
    """Start Valkeys that the test may kill: `own_valkey("--maxmemory", "3mb")`."""
    started: list[PrivateServer] = []

    def start(*options: str) -> PrivateServer:
        started.append(private_valkey(*options))
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture(scope="session")
def qdrant_server() -> Iterator[PrivateServer]:
    """A stand-in of Qdrant that tests share."""
    server = private_qdrant()
    yield server
    server.close()


@pytest.fixture
def own_qdrant() -> Iterator[PrivateServer]:
    """A stand-in of Qdrant that the test may kill."""
    server = private_qdrant()
    yield server
    server.close()
