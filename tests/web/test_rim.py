"""What a worker opens around its routes, and whom it tells of a stale calibration."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from arthur.catalog import Catalog, open_catalog
from arthur.config import Settings
from arthur.errors import ConfigError
from arthur.web.rim import open_rim


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(f"sqlite:///{tmp_path}/catalog.db")
    yield opened
    opened.close()


def arthur(catalog: Catalog, tmp_path: Path, stale: str = "", **settings: Any) -> Any:
    state = {"calibration_stale": stale, "engine": "mini", "verifier": "sift"}
    recognizer = SimpleNamespace(status=lambda: state)
    return SimpleNamespace(settings=Settings(data=tmp_path, **settings), catalog=catalog, recognizer=recognizer)


def test_a_stale_calibration_is_told_once(catalog: Catalog, tmp_path: Path) -> None:
    catalog.outbox.put_webhook("https://example.org/", b"s" * 32, (), now_us=1)
    for stale in ("", "made with another verifier", "made with another verifier"):
        open_rim(arthur(catalog, tmp_path, stale)).close()
    (notice,) = catalog.outbox.notices(0, 9)
    assert notice.kind == "calibration.stale"
    assert notice.facts == {"calibration_stale": "made with another verifier", "engine": "mini", "verifier": "sift"}


def test_a_malformed_setting_ends_the_start(catalog: Catalog, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="key_rate"):
        open_rim(arthur(catalog, tmp_path, key_rate="fast"))


def test_closing_twice_is_allowed(catalog: Catalog, tmp_path: Path) -> None:
    rim = open_rim(arthur(catalog, tmp_path))
    rim.follow()
    rim.close()
    rim.close()
