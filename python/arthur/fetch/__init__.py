"""Fetches pictures by URL, and posts to webhooks, at public addresses only.

The name is resolved here, every address it has must be public, and the connection goes to one of the addresses that
were checked: a name that changes its mind between check and use gains nothing. Any port is allowed, since only public
addresses are reached. Redirects are followed one by one, each checked like the first URL.
"""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass
from urllib.parse import urljoin

import httpcore
import httpx

from arthur.errors import ArthurError, BadRequest, FetchError, HostUnavailable, ImageTooLarge
from arthur.fetch.addresses import ReachableAddresses, Resolver, check_form, network, system_addresses
from arthur.fetch.connection import CheckedBackend, PoolTransport, seconds_left
from arthur.fetch.posting import Poster

__all__ = ["Fetcher", "Poster", "Resolver"]

_REDIRECTS = 5
_FIRST_PAUSE_S = 0.1


class Fetcher:
    """Fetches over http and https. Callable from any thread; each call has its own connection."""

    def __init__(
        self,
        *,
        max_bytes: int,
        timeout_s: float,
        retries: int,
        allow: tuple[str, ...] = (),
        resolve: Resolver | None = None,
    ) -> None:
        """Prepare to fetch.

        Args:
            max_bytes: longest body that is read.
            timeout_s: time for one call with its redirects and retries.
            retries: further tries after a connection that failed or a 5xx answer.
            allow: networks (CIDR) that may be reached although they are not public.
            resolve: gives the addresses of a host and port.

        Raises:
            ConfigError: a network is malformed.
        """
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s
        self._retries = retries
        self._addresses = ReachableAddresses(resolve or system_addresses, tuple(network(one) for one in allow))
        self._ssl = httpx.create_ssl_context(trust_env=False)

    def __call__(self, url: str) -> bytes:
        """Return the bytes behind `url`.

        Raises:
            BadRequest: not an http(s) URL with a host and without a user, or a host spelt as a number.
            FetchError: an address is not public, or no answer with status 200 came in time; HostUnavailable where
                it may come later.
            ImageTooLarge: the body is longer than the limit.
        """
        check_form(url)
        deadline = time.monotonic() + self._timeout_s
        for tries_left in range(self._retries, -1, -1):
            try:
                return self._follow(url, deadline)
            except _PassingError as error:
                pause_s = _FIRST_PAUSE_S * 2 ** (self._retries - tries_left)
                if tries_left == 0 or time.monotonic() + pause_s >= deadline:
                    raise HostUnavailable(str(error)) from error
                time.sleep(pause_s)
        raise FetchError("the picture could not be fetched")

    def close(self) -> None:
        """Nothing is held between calls. Closing twice is allowed."""

    def _follow(self, url: str, deadline: float) -> bytes:
        """Fetch, following redirects."""
        for _ in range(_REDIRECTS + 1):
            answer = self._ask(url, deadline)
            if isinstance(answer, bytes):
                return answer
            url = answer.to
            try:
                check_form(url)
            except BadRequest as error:
                raise FetchError(f"the redirect cannot be followed: {error}") from error
        raise FetchError(f"more than {_REDIRECTS} redirects")

    def _ask(self, url: str, deadline: float) -> bytes | _Redirect:
        """Ask for one URL."""
        backend = CheckedBackend(self._addresses, deadline)
        pool = httpcore.ConnectionPool(ssl_context=self._ssl, network_backend=backend, max_connections=1)
        headers = {"accept": "image/*,*/*;q=0.5", "accept-encoding": "identity", "user-agent": "arthur"}
        transport = PoolTransport(pool)
        try:
            with (
                httpx.Client(transport=transport, trust_env=False, headers=headers) as client,
                client.stream("GET", url, timeout=seconds_left(deadline)) as response,
            ):
                return self._read(response, url)
        except (httpx.TransportError, httpcore.NetworkError, httpcore.TimeoutException) as error:
            raise _PassingError(f"the picture could not be fetched: {str(error) or type(error).__name__}") from error
        except (httpx.HTTPError, httpx.InvalidURL, httpcore.ProtocolError, ssl.SSLError, UnicodeError) as error:
            raise FetchError(f"the picture could not be fetched: {error}") from error

    def _read(self, response: httpx.Response, url: str) -> bytes | _Redirect:
        """Return the body, or where it is said to be."""
        if response.status_code in (301, 302, 303, 307, 308) and "location" in response.headers:
            return _Redirect(urljoin(url, response.headers["location"]))
        _check_status(response.status_code)
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise FetchError("the picture's server sent a compressed body, which was not asked for")
        if int(response.headers.get("content-length", "0")) > self._max_bytes:
            raise self._too_large()
        whole = bytearray()
        for chunk in response.iter_raw():
            whole += chunk
            if len(whole) > self._max_bytes:
                raise self._too_large()
        return bytes(whole)

    def _too_large(self) -> ImageTooLarge:
        return ImageTooLarge(f"larger than the limit of {self._max_bytes} bytes")


def _check_status(status: int) -> None:
    if status == 200:
        return
    # a server that is asked too often is not asked again at once
    kinds = {429: HostUnavailable} if status < 500 else {status: _PassingError}
    raise kinds.get(status, FetchError)(f"the picture's server answered {status}")


class _PassingError(ArthurError):
    """A failure that may pass: worth another try."""


@dataclass(frozen=True, slots=True)
class _Redirect:
    to: str
