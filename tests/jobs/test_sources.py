from pathlib import Path
from typing import Any

import polars as pl
import pytest

from arthur.errors import BadRequest
from arthur.jobs.items import Item, Refused
from arthur.jobs.sources import open_source
from arthur.types import ViewId


def _touch(root: Any, *names: Any) -> Any:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def _items(path: Any, **more: Any) -> Any:
    return list(open_source(path, **more))


def test_a_folder_names_views_by_its_levels(tmp_path: Any) -> None:
    items = _items(_touch(tmp_path, "a/e1/front.jpg", "a/e2.PNG"))
    assert {item.view for item in items} == {ViewId("a", "e1", "front"), ViewId("a", "e2", "main")}


def test_a_folder_says_where_a_picture_came_from(tmp_path: Any) -> None:
    (item,) = _items(_touch(tmp_path, "a/e1/front.jpg"))
    assert (item.place, item.source, item.where) == ("a/e1/front.jpg", "a/e1/front.jpg", "file")


def test_other_files_and_hidden_ones_are_passed_over(tmp_path: Any) -> None:
    (item,) = _items(_touch(tmp_path, "a/e1/notes.txt", "a/.e2/v.jpg", "a/e1/.v.jpg", ".DS_Store", "a/e1/w.jpg"))
    assert item.place == "a/e1/w.jpg"


@pytest.mark.parametrize("name", ["v.jpg", "a/b/c/v.jpg"])
def test_a_picture_outside_the_layout_is_refused(tmp_path: Any, name: Any) -> None:
    (refused,) = _items(_touch(tmp_path, name))
    assert (type(refused), refused.place) == (Refused, name)


def test_of_two_files_with_one_name_the_first_counts(tmp_path: Any) -> None:
    first, second = _items(_touch(tmp_path, "a/e1/v.jpg", "a/e1/v.png"))
    assert (type(first), type(second)) == (Item, Refused)


def _csv(tmp_path: Any, text: Any) -> Any:
    path = tmp_path / "works.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_csv_row_is_an_item_with_metadata(tmp_path: Any) -> None:
    path = _csv(tmp_path, "artist_id,entry_id,view_id,path,title,year\na,007,front,p/x.jpg,Sunflowers,1888\n")
    assert _items(path) == [
        Item(
            "row 2",
            ViewId("a", "007", "front"),
            "p/x.jpg",
            "file",
            {"title": "Sunflowers", "year": "1888"},
        )
    ]


def test_a_url_is_no_file(tmp_path: Any) -> None:
    (item,) = _items(_csv(tmp_path, "artist_id,entry_id,url\na,e,https://museum.example/x.jpg\n"))
    assert (item.source, item.where, item.view.view_id) == ("https://museum.example/x.jpg", "url", "main")


@pytest.mark.parametrize(("row", "column"), [(",e,x.jpg", "artist_id"), ("a, ,x.jpg", "entry_id"), ("a,e,", "path")])
def test_a_blank_cell_is_named_by_row_and_column(tmp_path: Any, row: Any, column: Any) -> None:
    good, refused = _items(_csv(tmp_path, f"artist_id,entry_id,path\na,e,x.jpg\n{row}\n"))
    assert isinstance(good, Item)
    assert refused.place == "row 3"
    assert repr(column) in refused.reason


@pytest.mark.parametrize(
    ("header", "column"),
    [("entry_id,path", "artist_id"), ("artist_id,path", "entry_id"), ("artist_id,entry_id", "path")],
)
def test_a_missing_column_is_named(tmp_path: Any, header: Any, column: Any) -> None:
    with pytest.raises(BadRequest, match=rf"works\.csv: a? ?column '{column}'"):
        open_source(_csv(tmp_path, f"{header}\n1,2\n"))


@pytest.mark.parametrize(
    "text", ["artist_id,entry_id,path\na,e,x\na,e,x,y\n", b"artist_id,entry_id,path\na,e,x\na,\xff,x\n"]
)
def test_a_malformed_csv_names_the_row(tmp_path: Any, text: Any) -> None:
    with pytest.raises(BadRequest, match="row 3"):
        _items(_csv(tmp_path, text))


def test_an_empty_csv_is_refused(tmp_path: Any) -> None:
    with pytest.raises(BadRequest, match=r"works\.csv"):
        open_source(_csv(tmp_path, ""))


def test_parquet_keeps_kinds_of_metadata(tmp_path: Any) -> None:
    rows = {
        "artist_id": ["a"],
        "entry_id": [7],
        "path": ["x.jpg"],
        "year": [1888],
        "tags": [["oil"]],
        "nan": [float("nan")],
    }
    pl.DataFrame(rows).write_parquet(tmp_path / "works.parquet")
    (item,) = _items(tmp_path / "works.parquet")
    assert (item.view.entry_id, item.metadata) == ("7", {"year": 1888, "tags": ["oil"]})


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Any) -> None:
    (tmp_path / "works.parquet").write_bytes(b"no parquet at all")
    with pytest.raises(BadRequest, match=r"works\.parquet"):
        open_source(tmp_path / "works.parquet")


def test_json_lines_are_read_one_by_one(tmp_path: Any) -> None:
    lines = ['{"artist_id":"a","entry_id":"e","path":"x.jpg","size":{"w":1}}', "", "{bad", "[1]", '{"artist_id":"a"}']
    (tmp_path / "works.jsonl").write_text("\n".join(lines))
    good, bad, no_object, blank = _items(tmp_path / "works.jsonl")
    assert good.metadata == {"size": {"w": 1}}
    assert [refused.place for refused in (bad, no_object, blank)] == ["row 3", "row 4", "row 5"]


@pytest.mark.parametrize("name", ["works.txt", "missing"])
def test_what_is_no_source_is_refused(tmp_path: Any, name: Any) -> None:
    (tmp_path / "works.txt").write_text("")
    with pytest.raises(BadRequest):
        open_source(tmp_path / name)


def test_a_folder_can_be_one_artists(tmp_path: Path) -> None:
    for place in ("night.jpg", "thinker/front.jpg"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).touch()

    items = _items(tmp_path, artist_id="rodin")

    assert [item.view.hierarchical for item in items] == ["rodin.night.main", "rodin.thinker.front"]


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(BadRequest, match="no pictures below"):
        open_source(tmp_path)


def test_a_manifest_names_its_own_artists(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="folder only"):
        open_source(_csv(tmp_path, "artist_id,entry_id,path\na,b,c.jpg\n"), artist_id="rodin")


def test_a_list_of_urls_names_entries_by_them(tmp_path: Path) -> None:
    (tmp_path / "works.txt").write_text("https://museum.example/a.jpg?w=9\n\nhttp://museum.example/b.jpg\n")
    first, second = _items(tmp_path / "works.txt", artist_id="rodin")
    assert (first.view.hierarchical, first.source) == (
        "rodin.museum.example/a.jpg?w=9.main",
        "https://museum.example/a.jpg?w=9",
    )
    assert (second.place, second.where) == ("row 3", "url")


@pytest.mark.parametrize("kind", ["folder", "csv", "jsonl", "txt"])
def test_a_source_is_read_on_behind_any_place(tmp_path: Path, kind: str) -> None:
    names = ["a.jpg", "b/x.jpg", "b/y.jpg", "b/z/deep.jpg", "c/w.jpg"]
    _touch(tmp_path / "folder", *names)
    (tmp_path / "w.csv").write_text("artist_id,entry_id,path\n" + "".join(f"a,e,{name}\n" for name in names))
    (tmp_path / "w.jsonl").write_text(
        "".join(f'{{"artist_id":"a","entry_id":"e","path":"{name}"}}\n\n' for name in names)
    )
    (tmp_path / "w.txt").write_text("".join(f"http://h.example/{name}\n" for name in names))
    path = tmp_path / ("folder" if kind == "folder" else f"w.{kind}")
    artist = "a" if kind == "txt" else None
    whole = _items(path, artist_id=artist)
    assert [_items(path, artist_id=artist, after=item.place) for item in whole] == [
        whole[place:] for place in range(1, 6)
    ]


def test_a_folder_is_read_on_where_the_last_picture_is_gone(tmp_path: Path) -> None:
    _touch(tmp_path, "a/e1.jpg", "a/e2.jpg", "b/e3.jpg")
    (tmp_path / "a/e1.jpg").unlink()
    assert [item.place for item in _items(tmp_path, after="a/e1.jpg")] == ["a/e2.jpg", "b/e3.jpg"]


def test_an_item_is_the_same_after_the_queue(tmp_path: Path) -> None:
    (item,) = _items(_csv(tmp_path, "artist_id,entry_id,path,title\na,e,x.jpg,Sunflowers\n"))
    assert Item.unpacked(item.anew(2).packed()) == item.anew(2)
