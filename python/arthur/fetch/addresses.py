"""Which URLs and which addresses may be fetched from."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import httpx

from arthur.errors import BadRequest, ConfigError, FetchError

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver: TypeAlias = Callable[[str, int], Sequence[str]]

_MAX_URL = 4096
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_UNICAST = ipaddress.IPv6Network("2000::/3")
_COMPATIBLE = ipaddress.IPv6Network("::/96")


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


def network(text: str) -> Network:
    """Read a network in CIDR notation.

    Raises:
        ConfigError: it is none.
    """
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise ConfigError(f"setting 'fetch_allow': {text!r} is not a network") from error


def system_addresses(host: str, port: int) -> list[str]:
    """Return the addresses of a host as the system knows them. Raises OSError when it knows none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


@dataclass(frozen=True, slots=True)
class ReachableAddresses:
    """Gives the addresses of a host, all of them checked. Callable from any thread."""

    resolve: Resolver
    allowed: tuple[Network, ...]

    def __call__(self, host: str, port: int) -> list[str]:
        """Return the addresses of a host.

        Raises:
            FetchError: there is none, or one may not be reached.
        """
        try:
            addresses = list(self.resolve(host, port))
        except (OSError, UnicodeError) as error:
            raise FetchError(f"the host {host!r} cannot be resolved") from error
        if not addresses:
            raise FetchError(f"the host {host!r} has no address")
        for address in addresses:
            if not may_reach(ipaddress.ip_address(address.partition("%")[0]), self.allowed):
                raise FetchError(f"the host {host!r} is not on the public internet")
        return addresses


def may_reach(address: Address, allowed: Iterable[Network]) -> bool:
    """Whether an address, or the IPv4 address inside it, is in an allowed network or public."""
    inner = _inner(address)
    if inner is not None:
        return may_reach(inner, allowed)
    if any(address.version == network.version and address in network for network in allowed):
        return True
    if address.version == 6 and address not in _UNICAST:
        return False  # site-local, translated and unassigned ranges, which ipaddress calls global
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)
