from typing import Any

import orjson
import polars as pl
import pytest

from arthur.errors import StoreError
from arthur.jobs.exporting import export_catalogue
from tests.models import SPEC


def _silent(_: Any) -> None:
    pass


def test_every_live_view_is_a_row(house: Any, tmp_path: Any) -> None:
    for seed in range(5):
        house.enroll(f"a/e{seed}/main", seed)
    house.enroll("a/e1/main", 9)
    house.recognizer.forget("a", "e2")
    assert export_catalogue(house.catalog, SPEC, tmp_path / "out.parquet", _silent) == 4
    assert sorted(pl.read_parquet(tmp_path / "out.parquet")["entry_id"]) == ["e0", "e1", "e3", "e4"]


def test_rows_hold_facts_metadata_and_vector(house: Any, tmp_path: Any) -> None:
    stored = house.enroll("a/e1/main", 1, metadata={"title": "Sunflowers"}).stored
    export_catalogue(house.catalog, SPEC, tmp_path / "out.parquet", _silent)
    (row,) = pl.read_parquet(tmp_path / "out.parquet").rows(named=True)
    assert (row["vector_id"], row["key"], row["format"]) == (stored.vector_id, stored.key, "png")
    assert orjson.loads(row["metadata"]) == {"title": "Sunflowers"}
    assert row["vector"] == pytest.approx(house.catalog.rows[1].tolist())


def test_an_empty_catalogue_gives_a_table_without_rows(house: Any, tmp_path: Any) -> None:
    assert export_catalogue(house.catalog, SPEC, tmp_path / "new" / "out.parquet", _silent) == 0
    assert pl.read_parquet(tmp_path / "new" / "out.parquet").height == 0


def test_a_failed_export_leaves_the_old_file(house: Any, tmp_path: Any) -> None:
    house.enroll("a/e1/main", 1)
    (tmp_path / "out.parquet").write_text("old")

    def broken(_: Any) -> None:
        raise StoreError("the catalog is gone")

    with pytest.raises(StoreError):
        export_catalogue(house.catalog, SPEC, tmp_path / "out.parquet", broken)
    assert [file.name for file in tmp_path.iterdir()] == ["out.parquet"]
    assert (tmp_path / "out.parquet").read_text() == "old"
