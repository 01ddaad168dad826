"""Claims about addresses of embedding services."""

import pytest

from arthur.encode.address import is_remote, parse_addresses
from arthur.errors import ConfigError


def test_addresses_are_read_in_order_and_once() -> None:
    found = parse_addresses("http://gpu-1:9100, unix:/run/e.sock,http://[::1]:9,http://gpu-1:9100")
    assert [(one.host, one.port, one.path) for one in found] == [
        ("gpu-1", 9100, ""),
        ("localhost", 0, "/run/e.sock"),
        ("::1", 9, ""),
    ]


@pytest.mark.parametrize("engine", ["http://a:1", "unix:/x", "https://a:1"])
def test_addresses_are_known_from_engines(engine: str) -> None:
    assert is_remote(engine)


@pytest.mark.parametrize("engine", ["arthur-mini", "./engine", "/srv/engines/http", "unix"])
def test_engines_are_no_addresses(engine: str) -> None:
    assert not is_remote(engine)


@pytest.mark.parametrize(
    "url",
    [
        "https://a:1",
        "http://a",
        "http://:1",
        "http://a:x",
        "http://a:99999",
        "http://a:1/path",
        "http://u@a:1",
        "unix:relative",
        "http://a:1,arthur-mini",
    ],
)
def test_what_is_no_address_is_named(url: str) -> None:
    with pytest.raises(ConfigError, match="is no address of an embedding service"):
        parse_addresses(url)
