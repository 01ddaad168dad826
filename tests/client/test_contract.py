"""What either client promises, against a live server."""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from arthur import errors
from arthur.client import AsyncClient, Client, Conflict, Ingredient, InvalidImage, NotFound
from tests.web.conftest import picture

PUBLIC = [name for name, _ in inspect.getmembers(Client, inspect.isfunction) if not name.startswith("_")]


@pytest.fixture
def name(artist: str) -> tuple[str, str, str]:
    return artist, "entry.with.dots", "main view"


@pytest.fixture
def known(client: Any, name: tuple[str, str, str]) -> Any:
    return client.put(name, picture(11), metadata={"title": "Élan", "year": 1889})


@pytest.mark.parametrize("method", PUBLIC)
def test_both_clients_have_the_same_methods(method: str) -> None:
    ours = [str(one) for one in inspect.signature(getattr(Client, method)).parameters.values()]
    assert ours == [str(one) for one in inspect.signature(getattr(AsyncClient, method)).parameters.values()]


def test_a_put_view_is_shown_as_it_was_put(client: Any, known: Any, name: Any) -> None:
    assert client.view(name) == known
    assert (known.name, known.metadata, known.width) == (name, {"title": "Élan", "year": 1889}, 64)


def test_a_match_finds_what_was_put(client: Any, known: Any, name: Any, artist: str) -> None:
    answer = client.match(picture(11), k=1, artist_ids=artist)
    assert [one.name for one in answer.matches] == [name]
    assert answer.matches[0].metadata == {"title": "Élan", "year": 1889}


@pytest.mark.parametrize("seekable", [True, False])
def test_a_file_is_read_from_where_it_stands_and_left_open(
    client: Any, known: Any, artist: str, *, seekable: bool
) -> None:
    class File(io.BytesIO):
        def seekable(self) -> bool:
            return seekable

    file = File(b"passed over" + picture(11))
    file.seek(len(b"passed over"))
    assert len(client.match(file, artist_ids=artist).matches) == 1
    assert not file.closed


def test_paths_and_urls_are_pictures(
    client: Any, known: Any, artist: str, tmp_path: Path, web_page: Callable[[bytes], str]
) -> None:
    (tmp_path / "photo.png").write_bytes(picture(11))
    photos = [tmp_path / "photo.png", str(tmp_path / "photo.png"), web_page(picture(11))]
    assert [len(client.match(photo, artist_ids=artist).matches) for photo in photos] == [1, 1, 1]


def test_several_frames_are_one_question(client: Any, known: Any, artist: str, tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(picture(11))
    answer = client.match([picture(12), tmp_path / "photo.png", io.BytesIO(picture(13))], artist_ids=[artist])
    assert len(answer.matches) == 1


def test_a_url_is_no_frame(client: Any) -> None:
    with pytest.raises(errors.BadRequest, match="not URLs"):
        client.match([b"", "http://example.org/a.jpg"])


def test_no_such_file_is_said_before_anything_is_sent(client: Any, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        client.match(tmp_path / "missing.jpg")


def test_problems_become_errors_of_both_hierarchies(client: Any) -> None:
    with pytest.raises(InvalidImage) as caught:
        client.match(b"no picture")
    assert isinstance(caught.value, errors.InvalidImage)
    assert (caught.value.status, caught.value.title.split()[0]) == (422, "Unprocessable")
    assert (caught.value.detail, len(caught.value.request_id)) == (str(caught.value), 32)


def test_a_bad_parameter_is_named(client: Any) -> None:
    with pytest.raises(errors.BadRequest, match="k: "):
        client.match(picture(1), k=1000)


@pytest.mark.parametrize("parts", [("",), (" ", "e"), ("a", "\ud800")])
def test_an_id_that_cannot_name_anything_is_refused_here(client: Any, parts: tuple[str, ...]) -> None:
    with pytest.raises(errors.BadRequest):
        client.remove(*parts)


def test_a_view_without_its_entry_is_not_removed(client: Any, artist: str) -> None:
    with pytest.raises(errors.BadRequest):
        client.remove(artist, view_id="main")


def test_removal_counts_and_then_finds_nothing(client: Any, known: Any, name: Any) -> None:
    assert client.remove(*name) == 1
    with pytest.raises(NotFound):
        client.view(name)


def test_lists_go_on_over_pages(client: Any, artist: str) -> None:
    for number in range(5):
        client.put((artist, f"entry {number}", "main"), picture(20 + number))
    entries = [one.entry_id for one in client.entries(artist, page_size=2)]
    assert entries == [f"entry {number}" for number in range(5)]
    assert artist in {one.artist_id for one in client.artists(page_size=1)}
    assert (client.artist(artist).views, client.entry(artist, "entry 3").views) == (5, 1)


def test_views_of_an_entry_are_listed(client: Any, known: Any, name: Any) -> None:
    assert list(client.views(*name[:2])) == [known]


@pytest.mark.parametrize("part", [".", "..", "a/b", "%41", "ü ?#&+"])
def test_any_id_survives_the_path(client: Any, artist: str, part: str) -> None:
    name = (artist, part, part)
    client.put(name, picture(30))
    assert client.view(name).name == name


def test_similar_takes_a_name_or_a_vector_id(client: Any, known: Any, name: Any, artist: str) -> None:
    other = client.put((artist, "other", "main"), picture(12))
    answers = [client.similar(one, k=3, artist_ids=artist) for one in (name, known.vector_id)]
    assert [[one.vector_id for one in answer.matches] for answer in answers] == [[other.vector_id]] * 2


def test_search_mixes_words_and_pictures(client: Any, known: Any, artist: str) -> None:
    answer = client.search("picture 11", mix=[Ingredient(picture=picture(11), weight=0.5)], artist_ids=artist)
    assert [hit.vector_id for hit in answer.hits] == [known.vector_id]


def test_a_text_the_engine_cannot_read_is_a_conflict(client: Any) -> None:
    with pytest.raises(Conflict):
        client.search("a bridge in fog")


def test_thumbnails_are_jpeg(client: Any, known: Any) -> None:
    assert Image.open(io.BytesIO(client.thumbnail(known))).format == "JPEG"
    assert client.thumbnail(known.vector_id) == client.thumbnail(known)


def test_duplicates_are_listed(client: Any, artist: str) -> None:
    views = [client.put((artist, entry, "main"), picture(40)) for entry in ("one", "two")]
    ours = [pair for pair in client.duplicates(page_size=2) if {pair.newer.artist_id, pair.older.artist_id} == {artist}]
    assert [(pair.newer.name, pair.older.name) for pair in ours] == [(views[1].name, views[0].name)]
    assert [pair for pair in client.confusables() if pair.newer.artist_id == artist] == []


def test_status_counts_the_catalogue(client: Any, known: Any) -> None:
    status = client.status()
    assert (status.status, status.catalog.views > 0) == ("ok", True)
    assert status.parts["version"] == status.version


def test_a_rebuild_is_waited_for(client: Any) -> None:
    assert client.rebuild(wait=True).state == "done"


def test_what_was_asked_is_told_as_values_and_as_files(client: Any) -> None:
    told = client.analytics(days=7, top=5)
    assert (told.logged_days, told.complete, told.answers) == (0, True, sum(told.decisions.values()))
    assert client.analytics_file("csv", table="works", days=7).startswith(b"artist_id,entry_id,match,unsure,last_at\n")
    assert client.analytics_file("parquet")[:4] == b"PAR1"


def test_an_artist_is_told_in_numbers(client: Any, known: Any, artist: str) -> None:
    told = client.artist_analytics(artist, days=7)
    assert (told.artist_id, told.views, told.formats, told.quality.looked_at) == (artist, 1, {"png": 1}, 1)
    assert (told.quality.small, told.quality.thumbnails_missing, told.found.works) == (1, 0, ())
    with pytest.raises(NotFound):
        client.artist_analytics("nobody")
