"""What the URL of a Qdrant index may say."""

from __future__ import annotations

import pytest

from arthur.errors import ConfigError
from arthur.index import open_index
from arthur.index.qdrant_url import Layout, Place, read_url


def test_a_host_is_enough() -> None:
    place, layout = read_url("qdrant://vectors.example")
    assert place == Place("vectors.example", 6334, tls=False, key=None, timeout_s=5, write_timeout_s=60)
    assert layout == Layout()


def test_every_option_is_taken() -> None:
    place, layout = read_url(
        "qdrants://:s%2Fecret@[::1]:7?shards=12&replicas=3&write_consistency=2&on_disk=false&quantization=none&m=32"
        "&ef_construct=200&graph_from_kb=7&full_scan_kb=8&ef=99&oversampling=3&timeout_s=1&write_timeout_s=9"
    )
    assert place == Place("::1", 7, tls=True, key="s/ecret", timeout_s=1, write_timeout_s=9)
    assert layout == Layout(12, 3, 2, False, "none", 32, 200, 7, 8, 99, 3)


def test_a_key_may_stand_alone_and_is_not_shown() -> None:
    place, _ = read_url("qdrant://secret@host")
    assert place.key == "secret"
    assert "secret" not in repr(place)


@pytest.mark.parametrize(
    "rest",
    ["", "//", "//secret@host/path", "//host:port", "//secret@host?shards=0", "//host?shards=x", "//host?replica=2"],
)
def test_what_is_not_of_the_form_is_refused_without_telling_the_key(rest: str) -> None:
    with pytest.raises(ConfigError) as raised:
        open_index(f"qdrant:{rest}", dim=4, fingerprint="engine")
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("rest", ["?quantization=pq", "?on_disk=yes", "#x", "?write_consistency=2", ":99999", "?m="])
def test_options_that_cannot_be_meant_are_refused(rest: str) -> None:
    with pytest.raises(ConfigError):
        read_url(f"qdrant://host{rest}")
