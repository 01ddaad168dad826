"""Hostile files end in an error of ours or a whole picture: never a crash, a long wait or much memory."""

from __future__ import annotations

import json
import os
import random
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from PIL import Image

MakePhoto: TypeAlias = Callable[..., Image.Image]
Encode: TypeAlias = Callable[..., bytes]
Survive: TypeAlias = Callable[[dict[str, bytes]], dict[str, str]]

KINDS = ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "JPEG2000", "PPM"]
SLOWEST_S = 2.0
MOST_MIB = 700
CHILD = Path(__file__).with_name("hostile_child.py")


@pytest.fixture
def survive(tmp_path: Path) -> Survive:
    """Decode files in a child process; return its account of each, by name."""

    def run(files: dict[str, bytes]) -> dict[str, str]:
        for name, data in files.items():
            (tmp_path / name).write_bytes(data)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"}
        child = subprocess.run([sys.executable, CHILD, tmp_path], capture_output=True, text=True, env=environment)
        assert child.returncode == 0, child.stderr[-2000:]
        account = json.loads(child.stdout)
        slow = [entry for entry in account["outcomes"] if entry["seconds"] > SLOWEST_S]
        assert not slow
        assert account["peak_mib"] < MOST_MIB
        return {entry["name"]: entry["outcome"] for entry in account["outcomes"]}

    return run


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, *chunks: bytes, depth: int = 8, color: int = 2, interlace: int = 0) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlace)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IEND", b"")


def zeros(gibibytes: float) -> bytes:
    """Return that much of nothing, deflated: one block made once and repeated."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, 15)
    head = deflate.compress(b"")
    block = deflate.compress(bytes(1 << 20)) + deflate.flush(zlib.Z_FULL_FLUSH)
    again = deflate.compress(bytes(1 << 20)) + deflate.flush(zlib.Z_FULL_FLUSH)
    return head + block + again * int(gibibytes * 1024 - 1)


def jpeg(width: int, height: int, frame: int, scans: int = 1) -> bytes:
    """Return a JPEG of this size whose scans hold next to nothing."""
    sof = struct.pack(">BHHB", 8, height, width, 3) + b"\1\x11\0\2\x11\1\3\x11\1"
    table = bytes([0] + [1] * 64)
    huffman = b"".join(bytes([kind]) + bytes([0, 1] + [0] * 14) + b"\0" for kind in (0x00, 0x10, 0x01, 0x11))
    segments = [(0xDB, table), (0xDB, b"\1" + table[1:]), (frame, sof), (0xC4, huffman)]
    scan = b"\xff\xda" + struct.pack(">H", 12) + b"\3\1\0\2\x11\3\x11\0\0\0" + bytes(40)
    body = b"".join(b"\xff" + bytes([marker]) + struct.pack(">H", len(part) + 2) + part for marker, part in segments)
    return b"\xff\xd8" + body + scan * scans + b"\xff\xd9"


@pytest.mark.parametrize("kind", KINDS)
def test_truncations_never_crash(kind: str, survive: Survive, make_photo: MakePhoto, encode: Encode) -> None:
    data = encode(make_photo(90, 70), kind)
    cuts = {f"{cut:06}": data[:cut] for cut in range(0, len(data), max(1, len(data) // 60))}
    outcomes = survive(cuts)
    assert outcomes.keys() == cuts.keys()
    assert sum(outcome == "whole" for outcome in outcomes.values()) <= 2


@pytest.mark.parametrize("kind", KINDS)
def test_flipped_bits_never_crash(kind: str, survive: Survive, make_photo: MakePhoto, encode: Encode) -> None:
    data, dice = encode(make_photo(90, 70), kind), random.Random(kind)
    files = {}
    for number in range(80):
        damaged = bytearray(data)
        for _ in range(dice.randint(1, 8)):
            damaged[dice.randrange(min(len(data), 400 if number % 2 else len(data)))] ^= 1 << dice.randrange(8)
        files[f"{number:03}"] = bytes(damaged)
    assert survive(files).keys() == files.keys()


def test_bombs_are_refused(survive: Survive) -> None:
    bombs = {
        "png huge": png(60_000, 60_000, chunk(b"IDAT", zeros(0.01))),
        "png negative": png(0xFFFFFFFF, 0xFFFFFFFF, chunk(b"IDAT", b"")),
        "png cut": png(10_000, 9_999, chunk(b"IDAT", zeros(0.01))),
        "png cut interlaced": png(7_000, 7_000, chunk(b"IDAT", zeros(0.01)), interlace=1),
        "jpeg progressive": jpeg(65_500, 65_500, 0xC2),
        "jpeg progressive within the limit": jpeg(9_990, 9_990, 0xC2, scans=1000),
        "jpeg cut": jpeg(9_990, 9_990, 0xC0),
        "gif canvas": b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0) + b";",
        "webp canvas": b"RIFF\x16\0\0\0WEBPVP8X\n\0\0\0" + b"\0" * 4 + b"\xff\x3f\0\xff\x3f\0",
        "bmp": b"BM" + bytes(8) + struct.pack("<IIiiHHI", 54, 40, 30_000, 30_000, 1, 24, 0) + bytes(24),
        "bmp lying": b"BM" + bytes(8) + struct.pack("<IIiiHHI", 54, 40, 9_000, -9_000, 1, 24, 0) + bytes(24),
        "qoi": b"qoif" + struct.pack(">IIBB", 9_999, 9_999, 3, 0) + bytes(100),
    }
    outcomes = survive(bombs)
    assert all(outcome != "whole" for outcome in outcomes.values()), outcomes


def test_data_after_the_picture_costs_nothing(survive: Survive) -> None:
    tail = zeros(2)
    files = {
        "png idat": png(100, 100, chunk(b"IDAT", tail)),
        "png profile": png(8, 8, chunk(b"iCCP", b"x\0\0" + tail), chunk(b"IDAT", zlib.compress(bytes(25 * 8)))),
        "png text": png(8, 8, chunk(b"zTXt", b"x\0\0" + tail), chunk(b"IDAT", zlib.compress(bytes(25 * 8)))),
    }
    assert survive(files).keys() == files.keys()


def test_thousands_of_frames_cost_nothing(survive: Survive, encode: Encode) -> None:
    frames = [Image.new("P", (64, 64), number % 2) for number in range(2)]
    gif = encode(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=10)
    first = gif.index(b"!\xf9")
    assert survive({"gif": gif[:-1] + gif[first:-1] * 5000 + b";"}) == {"gif": "whole"}


def test_lying_tiffs_are_survived(survive: Survive, encode: Encode) -> None:
    data = encode(Image.new("RGB", (64, 64), "red"), "TIFF", compression="tiff_adobe_deflate")
    directory = struct.unpack("<I", data[4:8])[0]
    files = {}
    for entry in range(struct.unpack("<H", data[directory : directory + 2])[0]):
        for value in (0, 1, 0xFFFF, 0xFFFFFFFF):
            at = directory + 2 + entry * 12 + 8
            files[f"{entry}-{value}"] = data[:at] + struct.pack("<I", value) + data[at + 4 :]
    assert survive(files).keys() == files.keys()
