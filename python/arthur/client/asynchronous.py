"""The client for asyncio, method by method that of `synchronous`. Files are read and shrunk in threads."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
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
from arthur.client.batch import Outcome, in_order_async
from arthur.client.batch import Progress as Told
from arthur.client.calls import Call
from arthur.client.connection import Habits, http_options, request_of
from arthur.client.parameters import AnalyticsTable, FileForm, Ingredient, MatchParameters, Name, Narrowing, Retry
from arthur.client.pictures import Opened, Picture
from arthur.client.replies import Page

Value = TypeVar("Value")


class AsyncClient:
    """A server's API as coroutines. See Client. Belongs to one event loop; any number of its tasks may share it.

    Every call ends within its deadline, whatever the server does.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        deadline_s: float = 60.0,
        retry: Retry = Retry(),  # noqa: B008  # frozen
        resize: int = 0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """See Client."""
        self._habits = Habits(deadline_s, retry, resize)
        self._http = httpx.AsyncClient(**http_options(url, api_key), transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def match(self, photo: Picture | Sequence[Picture], **parameters: Unpack[MatchParameters]) -> Recognition:
        """See Client.match."""
        resize = self._habits.smaller(parameters)
        call = await asyncio.to_thread(calls.match, photo, parameters, resize=resize)
        return await self._run(call, parameters.get("deadline_s"))

    def match_many(
        self,
        photos: Iterable[Picture],
        *,
        concurrency: int = 4,
        progress: Told | None = None,
        **parameters: Unpack[MatchParameters],
    ) -> AsyncIterator[Outcome]:
        """See Client.match_many. Leaving the loop early cancels what is under way once the iterator is closed."""
        return in_order_async(
            lambda photo: self.match(photo, **parameters), photos, concurrency=concurrency, progress=progress
        )

    async def put(
        self, name: Name, picture: Picture, *, metadata: Mapping[str, object] | None = None, resize: int | None = None
    ) -> View:
        """See Client.put."""
        call = await asyncio.to_thread(calls.put, name, picture, metadata=metadata, resize=resize or 0)
        return await self._run(call)

    async def view(self, name: Name) -> View:
        """See Client.view."""
        return await self._run(calls.view(name))

    async def thumbnail(self, of: View | Match | Hit | str) -> bytes:
        """See Client.thumbnail."""
        return await self._run(calls.thumbnail(of))

    async def remove(self, artist_id: str, entry_id: str | None = None, view_id: str | None = None) -> int:
        """See Client.remove."""
        return await self._run(calls.remove(artist_id, entry_id, view_id))

    async def artist(self, artist_id: str) -> Artist:
        """See Client.artist."""
        return await self._run(calls.artist(artist_id))

    async def entry(self, artist_id: str, entry_id: str) -> Entry:
        """See Client.entry."""
        return await self._run(calls.entry(artist_id, entry_id))

    def artists(self, *, page_size: int = 100) -> AsyncIterator[Artist]:
        """See Client.artists."""
        return self._rows(calls.artists(), page_size)

    def entries(self, artist_id: str, *, page_size: int = 100) -> AsyncIterator[Entry]:
        """See Client.entries."""
        return self._rows(calls.entries(artist_id), page_size)

    def views(self, artist_id: str, entry_id: str, *, page_size: int = 100) -> AsyncIterator[View]:
        """See Client.views."""
        return self._rows(calls.views(artist_id, entry_id), page_size)

    def duplicates(self, *, page_size: int = 100) -> AsyncIterator[Likeness]:
        """See Client.duplicates."""
        return self._rows(calls.duplicates(), page_size)

    def confusables(self, *, page_size: int = 100) -> AsyncIterator[Likeness]:
        """See Client.confusables."""
        return self._rows(calls.confusables(), page_size)

    async def similar(self, of: Name | str, **narrowing: Unpack[Narrowing]) -> Similar:
        """See Client.similar."""
        return await self._run(calls.similar(of, **narrowing))

    async def search(
        self, text: str | None = None, *, mix: Sequence[Ingredient] = (), **narrowing: Unpack[Narrowing]
    ) -> SearchAnswer:
        """See Client.search."""
        call = await asyncio.to_thread(calls.search, text, mix, **narrowing)
        return await self._run(call)

    async def analytics(self, *, days: int = 30, top: int = 20) -> Analytics:
        """See Client.analytics."""
        return await self._run(calls.analytics(days, top))

    async def artist_analytics(self, artist_id: str, *, days: int = 30) -> ArtistAnalytics:
        """See Client.artist_analytics."""
        return await self._run(calls.artist_analytics(artist_id, days))

    async def analytics_file(self, form: FileForm, *, table: AnalyticsTable = "days", days: int = 30) -> bytes:
        """See Client.analytics_file."""
        return await self._run(calls.analytics_file(form, table, days))

    async def status(self) -> Status:
        """See Client.status."""
        return await self._run(calls.status())

    async def rebuild(self, *, wait: bool = False) -> Progress:
        """See Client.rebuild."""
        return await self._run(calls.rebuild(wait=wait))

    async def _rows(self, listing: Call[Page[Value]], size: int) -> AsyncIterator[Value]:
        cursor: str | None = None
        while True:
            page = await self._run(calls.page(listing, cursor, size))
            for row in page.rows:
                yield row
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    async def _run(self, call: Call[Value], deadline_s: float | None = None) -> Value:
        """See Client._run."""
        attempts = self._habits.attempts(call, deadline_s)
        while True:
            try:
                received = await self._attempt_in_time(attempts)
            except httpx.TransportError as error:
                wait_s: float | None = attempts.failed(error)
            else:
                wait_s = attempts.answered(received)
                if wait_s is None:
                    return call.read(received.body)
            await asyncio.sleep(wait_s or 0.0)

    async def _attempt_in_time(self, attempts: Attempts[Value]) -> Received:
        left_s = attempts.left_s()
        limit = asyncio.timeout(left_s if math.isfinite(left_s) else None)
        try:
            async with limit:
                return await self._attempt(attempts)
        except TimeoutError as error:
            if limit.expired():
                raise attempts.over() from error
            raise

    async def _attempt(self, attempts: Attempts[Value]) -> Received:
        """See Client._attempt."""
        body = attempts.call.body
        with body.open() if body is not None else nullcontext() as opened:
            request = request_of(self._http, attempts, opened, _chunks(opened))
            response = await self._http.send(request, stream=True)
            try:
                answer = bytearray()
                async for chunk in response.aiter_bytes():
                    attempts.grown(answer, chunk)
            finally:
                await response.aclose()
        return Received(response.status_code, response.headers, bytes(answer))


async def _chunks(opened: Opened | None) -> AsyncIterator[bytes]:
    """Give the bytes of a body; what lies on disk is read in threads."""
    chunks = iter(()) if opened is None else opened.chunks()
    while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
        yield chunk
