"""What a change of engines does when parts fail, pictures are late, or time is rationed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from arthur.catalog.sql import SqlCatalog
from arthur.catalog.sqlite import open_sqlite
from arthur.errors import ConfigError, EngineError, StoreError
from arthur.jobs import changing
from arthur.jobs.changing import ModelChange
from arthur.jobs.embedding import HOPELESS, Embedding, Tally, Throttle
from arthur.recognition.follower import Progress
from arthur.recognition.parts import Parts
from tests.models import SPEC, BlockEncoder, House, ModelIndex

NEW = "n" * 64


class NewEncoder(BlockEncoder):
    """The other engine. It fails at batches that hold a picture whose first pixel is `poison`."""

    spec = replace(SPEC, name="new", fingerprint=NEW)
    poison: Any = None

    def encode(self, pixels: Any) -> Any:
        if self.poison is not None and (pixels[:, 0, 0] == self.poison).all(axis=-1).any():
            raise EngineError("the engine failed at a picture")
        return super().encode(pixels)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Six works, on a real catalog."""
    with closing(SqlCatalog(open_sqlite(tmp_path / "catalog.db"))) as catalog:
        made = House(catalog)
        for seed in range(6):
            made.enroll(f"a/e{seed}/main", seed)
        yield made


@pytest.fixture
def parts(house: House) -> Parts:
    """The other engine, with an index of its own."""
    return replace(house.parts, encoder=NewEncoder(), index=ModelIndex())


def silent(_: Progress) -> None:
    """Take progress."""


def test_every_view_gets_a_vector_from_its_original(parts: Parts) -> None:
    told: list[Progress] = []
    change = ModelChange(parts)
    change.embed(told.append)
    assert (change.tally.originals, change.tally.thumbnails) == (6, 0)
    assert (told[-1].done, told[-1].total) == (6, 6)
    assert change.index(silent) == 6


def test_a_thumbnail_stands_in_for_an_original_that_cannot_be_read(house: House, parts: Parts) -> None:
    for name in [name for name in house.blobs.kept if name.startswith("originals")]:
        house.blobs.kept[name] = b"not a picture"
    change = ModelChange(parts)
    change.embed(silent)
    assert (change.tally.originals, change.tally.thumbnails) == (0, 6)


def test_a_picture_at_which_the_engine_fails_is_named_and_costs_its_neighbours_nothing(
    house: House, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changing, "FRESH", changing.timedelta(0))
    original = next(data for name, data in house.blobs.kept.items() if name.startswith("originals"))
    monkeypatch.setattr(NewEncoder, "poison", parts.decoder(original, SPEC.side).pixels[0, 0])  # type: ignore[attr-defined]  # the model's
    with pytest.raises(ConfigError, match=r"cannot embed 1 of .* a\.e0\.main: the engine failed at a picture"):
        ModelChange(parts).embed(silent)
    assert parts.catalog.unembedded(NEW, 0, 10).tolist() == [1]
    assert parts.catalog.engine() == SPEC.fingerprint


def test_a_picture_that_is_on_its_way_is_waited_for(house: House, parts: Parts) -> None:
    name = next(name for name in house.blobs.kept if name.startswith("originals"))
    late = {one: house.blobs.kept.pop(one) for one in list(house.blobs.kept) if name.split("/")[1] in one}
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        house.blobs.kept.update(late)

    ModelChange(parts, sleep=sleep).embed(silent)
    assert len(waited) == 1
    assert parts.catalog.unembedded(NEW, 0, 10).tolist() == []


def test_a_catalogue_without_pictures_is_given_up_early(house: House, parts: Parts) -> None:
    house.blobs.kept.clear()

    class Many:
        """Of the catalog, with many keys."""

        def unembedded(self, fingerprint: str, since: int, limit: int) -> Any:
            return np.arange(since + 1, since + limit + 1)

        def views(self, keys: Any) -> Any:
            stored = parts.catalog.views(np.array([1]))[1]
            return {key: replace(stored, key=key) for key in keys.tolist()}

        def __getattr__(self, name: str) -> Any:
            return getattr(parts.catalog, name)

    tally = Embedding(replace(parts, catalog=Many()), batch=32)(silent, Tally())  # type: ignore[arg-type]  # a model
    assert (tally.embedded, len(tally.failed)) == (0, HOPELESS)


def test_a_full_disk_ends_the_change_and_it_goes_on_afterwards(house: House, parts: Parts, tmp_path: Path) -> None:
    database = open_sqlite(tmp_path / "catalog.db")
    wide = replace(parts, encoder=_Wide())
    with closing(SqlCatalog(database)) as full:
        full.note("warm")  # the pool has one connection so far, which the next call takes again
        with database.reader.connect() as connection:
            pages = connection.execute(text("PRAGMA page_count")).scalar_one()
            connection.execute(text(f"PRAGMA max_page_count = {pages}"))
        with pytest.raises(StoreError, match="full"):
            ModelChange(replace(wide, catalog=full)).embed(silent)
        assert full.engine() == SPEC.fingerprint
    ModelChange(wide).embed(silent)
    assert house.catalog.unembedded(NEW, 0, 10).tolist() == []


class _Wide(NewEncoder):
    """Gives vectors that take more than a page each."""

    spec = replace(SPEC, name="new", fingerprint=NEW, dim=12_000)

    def encode(self, pixels: Any) -> Any:
        return np.repeat(super().encode(pixels), 1000, axis=1) / np.float32(1000**0.5)


@pytest.mark.parametrize(
    ("limits", "rest"),
    [({"rate": 10.0}, 3.0), ({"share": 0.25}, 0.6), ({"rate": 10.0, "share": 0.01}, 19.8), ({}, 0.0)],
)
def test_work_is_rationed(limits: dict[str, float], rest: float) -> None:
    rested: list[float] = []
    throttle = Throttle(clock=lambda: 100.2, sleep=rested.append, **limits)
    throttle(32, begun_at=100.0)
    assert sum(rested) == pytest.approx(rest)


def test_what_is_written_before_the_switch_is_embedded_by_it(house: House, parts: Parts) -> None:
    change = ModelChange(parts)
    change.embed(silent)
    house.enroll("a/late/main", 9)
    change.switch()
    assert parts.catalog.engine() == NEW
    assert parts.catalog.unembedded(NEW, 0, 10).tolist() == []
