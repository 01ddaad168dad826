"""A small catalogue with pictures, and what a database holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from arthur.backup.restoring import Target
from arthur.catalog.opening import open_database
from tests.backups import Estate


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    """A catalogue with three views and five pictures."""
    with closing(open_database(f"sqlite:///{tmp_path}/data/catalog.db")) as database:
        estate = Estate(database, tmp_path / "data")
        estate.enrol(3)
        yield estate


@pytest.fixture
def target(tmp_path: Path) -> Target:
    """A place to restore to that is not there yet."""
    data = tmp_path / "restored"
    return Target(data, f"sqlite:///{data}/catalog.db", f"file://{data}/blobs")
