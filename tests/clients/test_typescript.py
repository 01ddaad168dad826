"""The generated TypeScript client is of this API, and its packages are pinned without naming a registry."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from clients.typescript.build import HERE, MARK, SCHEMA, fingerprint

PACKAGE = json.loads((HERE / "package.json").read_text())
LOCK = json.loads((HERE / "package-lock.json").read_text())


def test_the_schema_is_made_of_this_api() -> None:
    made_of = SCHEMA.read_text().splitlines()[0].removeprefix(MARK)
    assert made_of == fingerprint(), "the API has changed: run `make client-ts` and commit src/schema.ts"


@pytest.mark.parametrize("kind", ["dependencies", "devDependencies"])
def test_packages_are_pinned(kind: str) -> None:
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in PACKAGE[kind].values())
    assert LOCK["packages"][""][kind] == PACKAGE[kind]


def test_the_lock_has_hashes_and_no_addresses() -> None:
    locked: dict[str, Any] = {name: one for name, one in LOCK["packages"].items() if name}
    assert [name for name, one in locked.items() if "resolved" in one or "integrity" not in one] == []


def test_nothing_generated_but_the_schema_is_committed() -> None:
    ignored = (Path(__file__).parents[2] / ".gitignore").read_text().split()
    assert {f"/clients/typescript/{name}" for name in ("node_modules/", "dist/", "openapi.json")} <= set(ignored)
