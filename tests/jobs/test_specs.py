"""What callers over the network may import from, and where it is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from arthur.errors import BadRequest, Forbidden
from arthur.jobs.items import Item
from arthur.jobs.reading import Reader
from arthur.jobs.specs import Reach, SourceSpec
from arthur.types import ViewId


@pytest.fixture
def reach(tmp_path: Path) -> Reach:
    """A root with one picture, and a secret beside it that links lead to."""
    (tmp_path / "root/works/a").mkdir(parents=True)
    (tmp_path / "root/works/a/e.jpg").write_bytes(b"picture")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/e.jpg").write_bytes(b"secret")
    (tmp_path / "root/works/a/linked.jpg").symlink_to(tmp_path / "secret/e.jpg")
    (tmp_path / "root/folder").symlink_to(tmp_path / "secret")
    return Reach("here", tmp_path / "root", ("s3://museum/works",))


def far(path: str = "", prefix: str = "") -> SourceSpec:
    return SourceSpec(path, prefix, confined=bool(path))


def test_a_folder_below_the_root_may_be_imported(reach: Reach) -> None:
    reach.check(far("works"))
    assert reach.needs(far("works")) in reach.offers
    assert reach.needs(far("works")) not in Reach("elsewhere").offers


@pytest.mark.parametrize("path", ["../secret", "/", "folder", "works/../../secret", "\0"])
def test_nothing_outside_of_the_root_can_be_named(reach: Reach, tmp_path: Path, path: str) -> None:
    with pytest.raises((Forbidden, BadRequest)):
        reach.check(far(path))
    with pytest.raises(Forbidden):
        reach.check(far(str(tmp_path / "secret")))


def test_without_a_root_no_folder_can_be_named() -> None:
    with pytest.raises(Forbidden, match="ARTHUR_IMPORT_ROOT"):
        Reach("here").check(far("works"))


@pytest.mark.parametrize("source", ["a/linked.jpg", "../../secret/e.jpg", "/etc/hostname"])
def test_no_item_leads_out_of_the_root(reach: Reach, source: str) -> None:
    reader = Reader.of(far("works"), reach, lambda _: b"", 100)
    assert reader(Item("1", ViewId("a", "e", "v"), "a/e.jpg", "file")) == b"picture"
    with pytest.raises(Forbidden):
        reader(Item("2", ViewId("a", "e", "v"), source, "file"))


@pytest.mark.parametrize(
    "prefix",
    ["s3://other/works/", "s3://museum/worksheets/", "s3://museum", "file:///etc/", "http://10.0.0.1/", "s3://"],
)
def test_no_other_store_can_be_named(reach: Reach, prefix: str) -> None:
    with pytest.raises((Forbidden, BadRequest)):
        reach.check(far(prefix=prefix))


@pytest.mark.parametrize(
    "spec", [far("works"), far(prefix="s3://museum/works/"), SourceSpec("/works", artist_id="rodin")]
)
def test_a_spec_is_the_same_after_the_catalogue(spec: SourceSpec) -> None:
    assert SourceSpec.unpacked(spec.packed()) == spec


def test_a_path_on_this_machine_is_read_by_its_workers(reach: Reach) -> None:
    assert reach.needs(SourceSpec("/works")) in Reach("here").offers
    assert reach.needs(SourceSpec("/works")) not in Reach("elsewhere").offers
