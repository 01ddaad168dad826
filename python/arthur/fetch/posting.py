"""Posting to a URL that somebody named, under the same rules as fetching from one."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping

import httpcore
import httpx

from arthur.errors import FetchError
from arthur.fetch.addresses import ReachableAddresses, Resolver, check_form, network, system_addresses
from arthur.fetch.connection import CheckedBackend, PoolTransport, seconds_left


class Poster:
    """Posts over http and https to public addresses. Callable from any thread; each call has its own connection."""

    def __init__(self, *, timeout_s: float, allow: tuple[str, ...] = (), resolve: Resolver | None = None) -> None:
        """Prepare to post. See Fetcher for the arguments.

        Raises:
            ConfigError: a network is malformed.
        """
        self._timeout_s = timeout_s
        self._addresses = ReachableAddresses(resolve or system_addresses, tuple(network(one) for one in allow))
        self._ssl = httpx.create_ssl_context(trust_env=False)

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Post a body and return the status; what else is answered is not read, and redirects are not followed.

        Raises:
            BadRequest: see Fetcher.
            FetchError: an address is not public, or no status came in time.
        """
        check_form(url)
        deadline = time.monotonic() + self._timeout_s
        backend = CheckedBackend(self._addresses, deadline)
        transport = PoolTransport(httpcore.ConnectionPool(ssl_context=self._ssl, network_backend=backend))
        try:
            with (
                httpx.Client(transport=transport, trust_env=False, headers={"user-agent": "arthur"}) as client,
                client.stream("POST", url, content=body, headers=headers, timeout=seconds_left(deadline)) as response,
            ):
                return response.status_code
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, UnicodeError) as error:
            raise FetchError(f"no answer: {str(error) or type(error).__name__}") from error
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
            raise FetchError(f"no answer: {str(error) or type(error).__name__}") from error
