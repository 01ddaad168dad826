"""Every operation as a value: what is sent, and how the answer is read. Nothing here touches the network."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, TypeVar, Unpack
from urllib.parse import quote

import orjson

from arthur.client.analytics import Analytics, ArtistAnalytics
from arthur.client.answers import (
    Artist,
    Entry,
    Hit,
    Likeness,
    Match,
    Progress,
    Recognition,
    SearchAnswer,
    Similar,
    Status,
    View,
)
from arthur.client.parameters import AnalyticsTable, FileForm, Ingredient, MatchParameters, Name, Narrowing
from arthur.client.pictures import Body, Picture, Source, frames_body, raw_body, source_of, url_of
from arthur.client.replies import Page, Read, count_of, page_of, recognition_of, status_of, value_of
from arthur.client.shrinking import Shrunk, shrink
from arthur.errors import BadRequest

Value = TypeVar("Value")
Pairs = tuple[tuple[str, str], ...]

_API = "/api/v1"
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Call(Generic[Value]):
    """One operation.

    Attributes:
        read: turns the body of a successful answer into the result; raises BadAnswer.
        repeatable: doing it twice is the same as doing it once, so it may be sent again when its fate is not known.
        timed: it takes `deadline_ms`.
    """

    method: str
    path: str
    read: Read[Value]
    params: Pairs = ()
    body: Body | None = None
    repeatable: bool = True
    timed: bool = False


def match(photo: Picture | Sequence[Picture], parameters: MatchParameters, *, resize: int = 0) -> Call[Recognition]:
    """Recognize one photo, or several of one work. Reads and shrinks the photos when `resize` is above 0.

    Raises:
        BadRequest: no photo at all, or a URL among several.
        ConfigError, OSError: see shrink.
    """
    photos = tuple(photo) if isinstance(photo, list | tuple) else (photo,)
    params = _match_params(parameters)
    url = url_of(photos[0]) if len(photos) == 1 else None
    if url is not None:
        body = Body(_JSON, (orjson.dumps({"image_url": url}),))
        return Call("POST", f"{_API}/match", value_of(Recognition), params, body, timed=True)
    if not photos or any(url_of(one) is not None for one in photos):
        raise BadRequest("give one photo, or several that are not URLs")
    sent = [_sent(one, resize) for one in photos]
    sources = [one.source for one in sent]
    body = raw_body(sources[0]) if len(sources) == 1 else frames_body(sources)
    scaled = partial(recognition_of, scales=tuple(one.scale for one in sent))
    return Call("POST", f"{_API}/match", scaled, params, body, timed=True)


def put(name: Name, picture: Picture, *, metadata: Mapping[str, object] | None = None, resize: int = 0) -> Call[View]:
    """Put a picture under its name.

    Raises:
        ConfigError, OSError: see shrink.
    """
    url = url_of(picture)
    if url is not None:
        body = Body(_JSON, (orjson.dumps({"image_url": url, "metadata": metadata}),))
        return Call("PUT", _view_path(name), value_of(View), body=body)
    params = () if metadata is None else (("metadata", orjson.dumps(metadata).decode()),)
    return Call("PUT", _view_path(name), value_of(View), params, raw_body(_sent(picture, resize).source))


def view(name: Name) -> Call[View]:
    """Show a view."""
    return Call("GET", _view_path(name), value_of(View))


def thumbnail(of: View | Match | Hit | str) -> Call[bytes]:
    """Fetch a view's thumbnail, a JPEG. The path is made here: one that an answer names could lead elsewhere."""
    vector_id = of if isinstance(of, str) else of.vector_id
    return Call("GET", f"{_API}/views/{_segment(vector_id, 'vector_id')}/thumbnail", bytes)


def remove(artist_id: str, entry_id: str | None = None, view_id: str | None = None) -> Call[int]:
    """Remove an artist, an entry or a view.

    Raises:
        BadRequest: a view without its entry.
    """
    if view_id is not None and entry_id is None:
        raise BadRequest("a view is named by its artist, its entry and itself")
    parts = [part for part in (artist_id, entry_id, view_id) if part is not None]
    return Call("DELETE", _path(*parts), count_of, repeatable=False)


def artist(artist_id: str) -> Call[Artist]:
    """Show an artist."""
    return Call("GET", _path(artist_id), value_of(Artist))


def entry(artist_id: str, entry_id: str) -> Call[Entry]:
    """Show an entry."""
    return Call("GET", _path(artist_id, entry_id), value_of(Entry))


def artists() -> Call[Page[Artist]]:
    """List artists."""
    return Call("GET", f"{_API}/artists", page_of("artists", Artist))


def entries(artist_id: str) -> Call[Page[Entry]]:
    """List an artist's entries."""
    return Call("GET", f"{_path(artist_id)}/entries", page_of("entries", Entry))


def views(artist_id: str, entry_id: str) -> Call[Page[View]]:
    """List an entry's views."""
    return Call("GET", f"{_path(artist_id, entry_id)}/views", page_of("views", View))


def duplicates() -> Call[Page[Likeness]]:
    """List pictures that were enrolled under two entries."""
    return Call("GET", f"{_API}/duplicates", page_of("pairs", Likeness))


def confusables() -> Call[Page[Likeness]]:
    """List works that are hard to tell apart."""
    return Call("GET", f"{_API}/confusables", page_of("pairs", Likeness))


def page(listing: Call[Page[Value]], cursor: str | None, size: int) -> Call[Page[Value]]:
    """Return the call for one page of a list."""
    begin: Pairs = () if cursor is None else (("cursor", cursor),)
    return replace(listing, params=(("limit", str(size)), *begin))


def similar(of: Name | str, **narrowing: Unpack[Narrowing]) -> Call[Similar]:
    """Show entries like a stored view, given by its name or its vector_id."""
    image_id = of if isinstance(of, str) else ".".join(of)
    return Call("POST", f"{_API}/similar/{_segment(image_id, 'image_id')}", value_of(Similar), _params(narrowing))


def search(text: str | None, mix: Sequence[Ingredient], **narrowing: Unpack[Narrowing]) -> Call[SearchAnswer]:
    """Search by words, pictures, or both.

    Raises:
        OSError: a picture cannot be read.
    """
    members = {"mix": [_ingredient(one) for one in mix]} | ({} if text is None else {"text": text})
    body = Body(_JSON, (orjson.dumps(members),))
    return Call("POST", f"{_API}/search", value_of(SearchAnswer), _params(narrowing), body)


def analytics(days: int, top: int) -> Call[Analytics]:
    """Show what was asked."""
    return Call("GET", f"{_API}/analytics", value_of(Analytics), (("days", str(days)), ("top", str(top))))


def artist_analytics(artist_id: str, days: int) -> Call[ArtistAnalytics]:
    """Show an artist in numbers."""
    return Call("GET", f"{_path(artist_id)}/analytics", value_of(ArtistAnalytics), (("days", str(days)),))


def analytics_file(form: FileForm, table: AnalyticsTable, days: int) -> Call[bytes]:
    """Fetch a table of what was asked."""
    params = (("days", str(days)), ("table", table), ("format", form))
    return Call("GET", f"{_API}/analytics", bytes, params)


def status() -> Call[Status]:
    """Describe the server."""
    return Call("GET", f"{_API}/status", status_of)


def rebuild(*, wait: bool) -> Call[Progress]:
    """Make the index equal to the catalogue."""
    params = (("wait", "true"),) if wait else ()
    return Call("POST", f"{_API}/index/rebuild", value_of(Progress), params, repeatable=False)


def _sent(picture: Picture, resize: int) -> Shrunk:
    source = source_of(picture)
    return shrink(source, resize) if resize > 0 else Shrunk(source)


def _ingredient(one: Ingredient) -> dict[str, object]:
    members: dict[str, object] = {"weight": one.weight}
    if one.text is not None:
        members["text"] = one.text
    if one.picture is not None:
        url = url_of(one.picture)
        members |= {"image_base64": _base64(source_of(one.picture))} if url is None else {"image_url": url}
    return members


def _base64(source: Source) -> str:
    with source.open() as file:
        return base64.b64encode(file.read()).decode()


def _match_params(given: MatchParameters) -> Pairs:
    named = [(name, str(given[name])) for name in ("max_false_accept", "verify") if name in given]
    return (*_params(given), *named, *((("overlay", "true"),) if given.get("overlay") else ()))


def _params(given: Narrowing) -> Pairs:
    """Return query parameters; each artist is one."""
    ids = given.get("artist_ids", ())
    pairs = [("artist_id", one) for one in ((ids,) if isinstance(ids, str) else ids)]
    pairs += [(name, str(given[name])) for name in ("k", "min_score") if name in given]
    return tuple(pairs)


def _view_path(name: Name) -> str:
    artist_id, entry_id, view_id = name
    return _path(artist_id, entry_id, view_id)


def _path(*ids: str) -> str:
    """Return the path of an artist, an entry or a view."""
    named = zip(("artists", "entries", "views"), ("artist_id", "entry_id", "view_id"), ids, strict=False)
    return _API + "".join(f"/{kind}/{_segment(part, name)}" for kind, name, part in named)


def _segment(part: str, name: str) -> str:
    """Return an id as one segment of a path.

    Raises:
        BadRequest: it is blank or no text that UTF-8 can spell; such a segment would name something else.
    """
    if not part.strip():
        raise BadRequest(f"{name} must not be blank")
    if part in (".", ".."):
        return part.replace(".", "%2E")
    try:
        return quote(part, safe="", errors="strict")
    except UnicodeEncodeError as error:
        raise BadRequest(f"{name} holds characters that cannot be stored") from error
