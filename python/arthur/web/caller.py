"""Who asks, and about which artists they may be told."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from arthur.errors import ConfigError, Forbidden

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_FOREIGN = "the API key is restricted to other artists"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever sent a request.

    Attributes:
        client: address of the client, or of the last proxy that is not trusted.
        key_id: the API key that came with it; "" without one.
        key_name: what an operator calls that key.
        artists: the only artists it may read or write, in the key's order; empty for all.
    """

    client: str = ""
    key_id: str = ""
    key_name: str = ""
    artists: tuple[str, ...] = ()

    def allows(self, artist_id: str) -> bool:
        """Whether the caller may be told about an artist."""
        return not self.artists or artist_id in self.artists

    def check(self, artist_id: str) -> str:
        """Return `artist_id`.

        Raises:
            Forbidden: the caller has nothing to do with that artist, whether it exists or not.
        """
        if not self.allows(artist_id):
            raise Forbidden(_FOREIGN)
        return artist_id

    def among(self, asked: Sequence[str]) -> tuple[str, ...]:
        """Return the artists to search: those asked for, or all that the caller may see; empty for all there are.

        Raises:
            Forbidden: none of those asked for may be seen.
        """
        if not asked:
            return self.artists
        allowed = tuple(one for one in asked if self.allows(one))
        if not allowed:
            raise Forbidden(_FOREIGN)
        return allowed

    @property
    def only(self) -> tuple[str, ...] | None:
        """The artists that lists are kept to; None for all."""
        return self.artists or None


def networks(texts: Sequence[str], setting: str) -> tuple[Network, ...]:
    """Read networks in CIDR notation.

    Raises:
        ConfigError: one is none; the message names the setting.
    """
    try:
        return tuple(ipaddress.ip_network(text, strict=False) for text in texts)
    except ValueError as error:
        raise ConfigError(f"setting {setting!r}: {error}") from error


def within(address: str, trusted: Sequence[Network]) -> bool:
    """Whether an address lies in one of the networks; what is no address does not."""
    read = _address(address)
    return read is not None and any(read.version == one.version and read in one for one in trusted)


def client_address(peer: str, forwarded: str, trusted: Sequence[Network]) -> str:
    """Return the address of the client: the peer, or whom trusted proxies say that they speak for.

    X-Forwarded-For grows at its end, so it is read from there, and no further than to the first address that is not
    itself trusted: what stands before was written by that client. What is no address is not believed.
    """
    client = peer
    for said in reversed(forwarded.split(",")):
        if not within(client, trusted) or _address(said.strip()) is None:
            break
        client = str(_address(said.strip()))
    return client


def counted_as(client: str) -> str:
    """Return the name under which an address is counted: an IPv6 host has a whole /64 to itself."""
    address = _address(client)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))
    return client


def _address(text: str) -> Address | None:
    """Read an address; an IPv4 address inside an IPv6 one is what it stands for."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
