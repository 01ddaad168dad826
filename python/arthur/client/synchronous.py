"""The client for threads. What each operation sends and reads is in `calls`, what is tried again in `attempts`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from types import TracebackType
from typing import Self, TypeVar, Unpack

import httpx

from arthur.client import calls
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
from arthur.client.attempts import Attempts, Received
from arthur.client.batch import Outcome, in_order
from arthur.client.batch import Progress as Told
from arthur.client.calls import Call
from arthur.client.connection import Habits, http_options, request_of
from arthur.client.parameters import AnalyticsTable, FileForm, Ingredient, MatchParameters, Name, Narrowing, Retry
from arthur.client.pictures import Picture
from arthur.client.replies import Page

Value = TypeVar("Value")


class Client:
    """A server's API as methods. Thread-safe; connections are kept and reused until `close`.

    Every method raises ApiError (of a class by the problem), Unreachable, BadAnswer or TimedOut. Every call ends within
    its deadline, tries and waits included, except where a server drips its headers byte by byte.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        deadline_s: float = 60.0,
        retry: Retry = Retry(),  # noqa: B008  # frozen
        resize: int = 0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Open a client; nothing is sent yet.

        Args:
            url: the server's address, also with a path that a proxy takes away.
            api_key: goes with every request; also over http, so use https where others listen.
            deadline_s: time for a call; `math.inf` for no end.
            retry: when a call is tried again.
            resize: make photos smaller whose longer side has more pixels; 0 sends them as they are. Needs Pillow.
            transport: how to connect, for own certificates or a Unix socket; the client closes it.

        Raises:
            ConfigError: `url` is not one of http or https.
        """
        self._habits = Habits(deadline_s, retry, resize)
        self._http = httpx.Client(**http_options(url, api_key), transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def match(self, photo: Picture | Sequence[Picture], **parameters: Unpack[MatchParameters]) -> Recognition:
        """Recognize the artwork on a photo, or on a list of up to 8 photos of the same artwork.

        A photo is streamed from disk. Made smaller by `resize`, its quads still come back in its own pixels.

        Raises:
            BadRequest: no photo, or a URL among several.
            ConfigError: `resize` without Pillow.
            OSError: a photo cannot be read.
        """
        call = calls.match(photo, parameters, resize=self._habits.smaller(parameters))
        return self._run(call, parameters.get("deadline_s"))

    def match_many(
        self,
        photos: Iterable[Picture],
        *,
        concurrency: int = 4,
        progress: Told | None = None,
        **parameters: Unpack[MatchParameters],
    ) -> Iterator[Outcome]:
        """Recognize many photos, `concurrency` at the same time, and give their outcomes in the order of the photos.

        A photo that fails is an outcome with an error; the others go on. `photos` may be endless: it is read a few
        places ahead. `progress(done, failed)` is called with each outcome, in this thread. Leaving the loop waits for
        the photos under way and sends no others. The parameters, also `deadline_s`, hold for each photo.
        """
        return in_order(
            lambda photo: self.match(photo, **parameters), photos, concurrency=concurrency, progress=progress
        )

    def put(
        self, name: Name, picture: Picture, *, metadata: Mapping[str, object] | None = None, resize: int | None = None
    ) -> View:
        """Put a picture under its name, in the place of one that is there; the next match finds it.

        The client's `resize` does not count here, only this one: a catalogue is best kept whole.
        """
        return self._run(calls.put(name, picture, metadata=metadata, resize=resize or 0))

    def view(self, name: Name) -> View:
        """Return what is known of a view. Raises NotFound when there is none."""
        return self._run(calls.view(name))

    def thumbnail(self, of: View | Match | Hit | str) -> bytes:
        """Return the thumbnail of a view, as JPEG; of whatever names it, or by its vector_id."""
        return self._run(calls.thumbnail(of))

    def remove(self, artist_id: str, entry_id: str | None = None, view_id: str | None = None) -> int:
        """Remove an artist, an entry or a view, and return how many views that were.

        It is not tried again once it may have been done, because then nothing would be left to be removed.

        Raises:
            NotFound: nothing of that name was there.
        """
        return self._run(calls.remove(artist_id, entry_id, view_id))

    def artist(self, artist_id: str) -> Artist:
        """Count what there is of an artist."""
        return self._run(calls.artist(artist_id))

    def entry(self, artist_id: str, entry_id: str) -> Entry:
        """Count the views of an entry."""
        return self._run(calls.entry(artist_id, entry_id))

    def artists(self, *, page_size: int = 100) -> Iterator[Artist]:
        """Give all artists, asking for a page when it is needed."""
        return self._rows(calls.artists(), page_size)

    def entries(self, artist_id: str, *, page_size: int = 100) -> Iterator[Entry]:
        """Give an artist's entries; none for one that is not known."""
        return self._rows(calls.entries(artist_id), page_size)

    def views(self, artist_id: str, entry_id: str, *, page_size: int = 100) -> Iterator[View]:
        """Give an entry's views; none for one that is not known."""
        return self._rows(calls.views(artist_id, entry_id), page_size)

    def duplicates(self, *, page_size: int = 100) -> Iterator[Likeness]:
        """Give pairs of views that show the same picture under two entries, newest first."""
        return self._rows(calls.duplicates(), page_size)

    def confusables(self, *, page_size: int = 100) -> Iterator[Likeness]:
        """Give pairs of views that recognition can hardly tell apart, newest first."""
        return self._rows(calls.confusables(), page_size)

    def similar(self, of: Name | str, **narrowing: Unpack[Narrowing]) -> Similar:
        """Return the entries most like a stored view, given by its name or vector_id."""
        return self._run(calls.similar(of, **narrowing))

    def search(
        self, text: str | None = None, *, mix: Sequence[Ingredient] = (), **narrowing: Unpack[Narrowing]
    ) -> SearchAnswer:
        """Return the entries nearest to a text, to texts and pictures mixed by weight, or to both together.

        Raises:
            Conflict: the server's engine reads no text.
        """
        return self._run(calls.search(text, mix, **narrowing))

    def analytics(self, *, days: int = 30, top: int = 20) -> Analytics:
        """Return what was asked in the last `days`, with the `top` works, where the server logs answers."""
        return self._run(calls.analytics(days, top))

    def artist_analytics(self, artist_id: str, *, days: int = 30) -> ArtistAnalytics:
        """Return an artist in numbers, with how often its works were found in the last `days`."""
        return self._run(calls.artist_analytics(artist_id, days))

    def analytics_file(self, form: FileForm, *, table: AnalyticsTable = "days", days: int = 30) -> bytes:
        """Return every day, or every work that was found, as a file."""
        return self._run(calls.analytics_file(form, table, days))

    def status(self) -> Status:
        """Return how the server is."""
        return self._run(calls.status())

    def rebuild(self, *, wait: bool = False) -> Progress:
        """Make the index equal to the catalogue, and `wait` until it is. Raises Conflict while that is under way."""
        return self._run(calls.rebuild(wait=wait))

    def _rows(self, listing: Call[Page[Value]], size: int) -> Iterator[Value]:
        page = self._run(calls.page(listing, None, size))
        yield from page.rows
        while page.next_cursor is not None:
            page = self._run(calls.page(listing, page.next_cursor, size))
            yield from page.rows

    def _run(self, call: Call[Value], deadline_s: float | None = None) -> Value:
        """Make tries until one succeeds or no other is due."""
        attempts = self._habits.attempts(call, deadline_s)
        while True:
            try:
                received = self._attempt(attempts)
            except httpx.TransportError as error:
                wait_s: float | None = attempts.failed(error)
            else:
                wait_s = attempts.answered(received)
                if wait_s is None:
                    return call.read(received.body)
            time.sleep(wait_s or 0.0)

    def _attempt(self, attempts: Attempts[Value]) -> Received:
        """Send the request once and read the answer whole."""
        body = attempts.call.body
        with body.open() if body is not None else nullcontext() as opened:
            chunks = () if opened is None else opened.chunks()
            request = request_of(self._http, attempts, opened, attempts.watched(chunks))
            response = self._http.send(request, stream=True)
            try:
                answer = bytearray()
                for chunk in response.iter_bytes():
                    attempts.grown(answer, chunk)
            finally:
                response.close()
        return Received(response.status_code, response.headers, bytes(answer))
