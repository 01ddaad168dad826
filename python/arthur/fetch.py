"""Fetches pictures by URL, from public addresses only.

The name is resolved here, every address it has must be public, and the connection goes to one of the addresses that
were checked: a name that changes its mind between check and use gains nothing. Any port is allowed, since only public
addresses are reached. Redirects are followed one by one, each checked like the first URL.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urljoin

import httpcore
import httpx

from arthur.errors import ArthurError, BadRequest, ConfigError, FetchError, ImageTooLarge

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver: TypeAlias = Callable[[str, int], Sequence[str]]

_REDIRECTS = 5
_FIRST_PAUSE_S = 0.1
_MAX_URL = 4096
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_UNICAST = ipaddress.IPv6Network("2000::/3")
_COMPATIBLE = ipaddress.IPv6Network("::/96")


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
        self._allowed = tuple(_network(one) for one in allow)
        self._resolve = resolve or _system_addresses
        self._ssl = httpx.create_ssl_context(trust_env=False)

    def __call__(self, url: str) -> bytes:
        """Return the bytes behind `url`.

        Raises:
            BadRequest: not an http(s) URL with a host and without a user, or a host spelt as a number.
            FetchError: an address is not public, or no answer with status 200 came in time.
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
                    raise FetchError(str(error)) from error
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
        backend = _CheckedBackend(self._addresses, deadline)
        pool = httpcore.ConnectionPool(ssl_context=self._ssl, network_backend=backend, max_connections=1)
        headers = {"accept": "image/*,*/*;q=0.5", "accept-encoding": "identity", "user-agent": "arthur"}
        transport = _PoolTransport(pool)
        try:
            with (
                httpx.Client(transport=transport, trust_env=False, headers=headers) as client,
                client.stream("GET", url, timeout=_left(deadline)) as response,
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
        if response.status_code >= 500:
            raise _PassingError(f"the picture's server answered {response.status_code}")
        if response.status_code != 200:
            raise FetchError(f"the picture's server answered {response.status_code}")
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

    def _addresses(self, host: str, port: int) -> list[str]:
        """Return the addresses of a host, all of them checked.

        Raises:
            FetchError: there is none, or one may not be reached.
        """
        try:
            addresses = list(self._resolve(host, port))
        except (OSError, UnicodeError) as error:
            raise FetchError(f"the host {host!r} cannot be resolved") from error
        if not addresses:
            raise FetchError(f"the host {host!r} has no address")
        for address in addresses:
            if not self._may_reach(ipaddress.ip_address(address.partition("%")[0])):
                raise FetchError(f"the host {host!r} is not on the public internet")
        return addresses

    def _may_reach(self, address: Address) -> bool:
        """Whether an address, and any IPv4 address inside it, is allowed or public."""
        inner = _inner(address)
        if inner is not None:
            return self._may_reach(inner)
        if any(address.version == network.version and address in network for network in self._allowed):
            return True
        if address.version == 6 and address not in _UNICAST:
            return False  # site-local, translated and unassigned ranges, which ipaddress calls global
        return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def check_form(url: str) -> None:
    """Refuse a URL that could not be fetched, or whose host could be read in two ways.

    Raises:
        BadRequest: see Fetcher.
    """
    if len(url) > _MAX_URL or any(ord(c) <= 32 or ord(c) == 127 for c in url):
        raise BadRequest("the URL is too long or holds spaces")
    try:
        parsed = httpx.URL(url)
        host, userinfo = parsed.host, parsed.userinfo
    except (httpx.InvalidURL, ValueError, UnicodeError) as error:
        raise BadRequest(f"not a URL: {error}") from error
    if parsed.scheme not in ("http", "https"):
        raise BadRequest("the URL must begin with http:// or https://")
    if not host or userinfo or "\\" in url:
        raise BadRequest("the URL must have a host, and no user")
    if _is_odd_number(host):
        raise BadRequest("the host must be a name, or an address in its usual form")


def _is_odd_number(host: str) -> bool:
    """Whether a host is a number that some resolvers take for an address: 2130706433, 0x7f.1, 0177.0.0.1."""
    if ":" in host:
        return False
    last = host.rstrip(".").rpartition(".")[2].lower()
    if not (last.isdigit() or last.startswith("0x")):
        return False
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return True
    return False


def _inner(address: Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise ConfigError(f"setting 'fetch_allow': {text!r} is not a network") from error


def _system_addresses(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def _left(deadline: float) -> float:
    """Return the seconds left, never less than none."""
    return max(0.001, deadline - time.monotonic())


class _PassingError(ArthurError):
    """A failure that may pass: worth another try."""


@dataclass(frozen=True, slots=True)
class _Redirect:
    to: str


class _CheckedBackend(httpcore.SyncBackend):
    """Connects to checked addresses only, and lets no step outlast the deadline."""

    def __init__(self, addresses: Callable[[str, int], list[str]], deadline: float) -> None:
        self._addresses = addresses
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # the deadline is stricter
        local_address: str | None = None,
        socket_options: object = None,  # none are asked for
    ) -> httpcore.NetworkStream:
        """Connect to the first address that answers. See httpcore.NetworkBackend."""
        failure: Exception = httpcore.ConnectError("no address")
        for address in self._addresses(host, port):
            try:
                stream = super().connect_tcp(address, port, _left(self._deadline), local_address)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _TimedStream(stream, self._deadline)
        raise failure

    def connect_unix_socket(self, *_: object, **__: object) -> httpcore.NetworkStream:
        """Refuse: a URL names no socket of this machine."""
        raise httpcore.ConnectError("not a network address")


class _TimedStream(httpcore.NetworkStream):
    """A stream whose every read and write ends at the deadline, so that drops of bytes cannot outlast it."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def _remaining(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("it took too long")
        return left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # the deadline is stricter
        return self._stream.read(max_bytes, self._remaining())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # the deadline is stricter
        self._stream.write(buffer, self._remaining())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # the deadline is stricter
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, self._remaining())
        return _TimedStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


class _PoolTransport(httpx.BaseTransport):
    """Lets httpx speak through an httpcore pool with a network of our own."""

    def __init__(self, pool: httpcore.ConnectionPool) -> None:
        self._pool = pool

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        asked = httpcore.Request(request.method, url, headers=request.headers.raw, extensions=request.extensions)
        answer = self._pool.handle_request(asked)
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer))

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()
