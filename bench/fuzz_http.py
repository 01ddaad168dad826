"""Fuzz the HTTP surface of a real server: what must not happen is a 5xx of ours, a dead worker, or no answer in time.

    python -m bench.fuzz_http [--server granian] [--seconds 60] [--seed 1] [--keep FOLDER]

Three sources take turns. `described`: requests that Schemathesis makes of the OpenAPI document, right ones and wrong
ones. `bytes`: whole requests of every kind (forms, JSON, chunks, pipelines, a WebSocket) with bytes flipped, cut,
doubled and spliced, sent as they are. `pictures`: files of each format, broken in the same ways, sent to be matched.
Inputs that bring something bad about are kept in a folder. Robyn is known to lose a worker to malformed chunks.

Raw rows go to `bench/results/fuzz_http.parquet`; the exit status is 1 when something bad happened.
"""

from __future__ import annotations

import argparse
import io
import random
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import httpx
import polars as pl
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from PIL import Image
from schemathesis import GenerationMode

from bench import record
from bench.artphoto.paintings import painting
from bench.overload import serving

HANG_S = 20.0
FETCHED = {502, 504}
"""What a picture's own server may bring about."""
TURN = 25
HEAD = "Host: a\r\nX-Request-ID: fuzz\r\nAccept: */*\r\n"
UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
FRAMES = b"\x81\x85\0\0\0\0hello\x88\x80\0\0\0\0"
VIEW = "/api/v1/artists/a%2Fb/entries/e/views/v"
PATHS = ("/", "/status", VIEW, "/api/v1/artists?limit=2&cursor=a", "/static/app.js", "/metrics", "//%2e%2e/%00")


@dataclass
class Server:
    """The server under attack, and what became of each attempt."""

    pid: int
    port: int
    keep: Path
    rows: list[dict[str, object]] = field(default_factory=list)
    workers: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        self.workers = self.alive()

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"http://127.0.0.1:{self.port}"

    def alive(self) -> frozenset[int]:
        """Return the processes of the workers."""
        return frozenset(map(int, Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()))

    def note(self, source: str, sent: bytes, status: int, seconds: float) -> None:
        """Keep a row; and the input, if what it brought about is bad."""
        bad = "hang" if seconds > HANG_S else "error" if status >= 500 and status not in FETCHED else ""
        workers = self.alive()
        if workers != self.workers:
            bad, self.workers = "crash", self._settled()
        self.rows.append({"source": source, "status": status, "seconds": seconds, "bad": bad})
        if bad:
            (self.keep / f"{bad}-{source}-{len(self.rows)}").write_bytes(sent)
            print(f"{bad} from {source}: status {status} after {seconds:.1f} s")

    def _settled(self) -> frozenset[int]:
        """Wait until as many workers as before answer again."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with suppress(httpx.TransportError):
                if len(self.alive()) == len(self.workers) and httpx.get(self.url + "/readyz").status_code == 200:
                    break
            time.sleep(0.1)
        return self.alive()

    def send(self, source: str, raw: bytes) -> None:
        """Send bytes on a connection of their own; 0 is a connection that was closed without an answer."""
        begun, status = time.perf_counter(), 0
        with suppress(OSError, ValueError, IndexError), socket.create_connection(("127.0.0.1", self.port), 5) as link:
            link.settimeout(HANG_S + 5)
            link.sendall(raw)
            link.shutdown(socket.SHUT_WR)
            status = int(link.recv(65536).split(b" ", 2)[1])
        self.note(source, raw, status, time.perf_counter() - begun)


def pictures() -> list[bytes]:
    """Return one picture in each of several formats."""
    drawn, files = Image.fromarray(painting(1, 0, 0, size=96)), []
    for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"):
        encoded = io.BytesIO()
        drawn.save(encoded, kind)
        files.append(encoded.getvalue())
    return files


def whole_requests(picture: bytes) -> list[bytes]:
    """Return requests that are right, of every kind."""
    form = (
        b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
        + picture
        + b'\r\n--b\r\nContent-Disposition: form-data; name="k"\r\n\r\n3\r\n--b--\r\n'
    )
    json = b'{"text": "a bridge", "k": 5, "mix": [{"text": "fog", "weight": -0.5}]}'
    posted = [
        ("POST /api/v1/match?k=3", "multipart/form-data; boundary=b", form),
        ("POST /match", "multipart/form-data; boundary=b", form.replace(b'"image"', b'"imgFile"')),
        (f"PUT {VIEW}?metadata=%7B%7D", "image/png", picture),
        ("POST /api/v1/search", "application/json", json),
        ("POST /match", "application/x-www-form-urlencoded", b"imgUrl=http%3A%2F%2F127.0.0.1%2Fa.png"),
    ]
    whole = [
        f"{line} HTTP/1.1\r\n{HEAD}Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        for line, kind, body in posted
    ]
    chunks = f"{len(form):x}\r\n".encode() + form + b"\r\n0\r\nX-Trailer: a\r\n\r\n"
    line = f"POST /api/v1/match HTTP/1.1\r\n{HEAD}Content-Type: multipart/form-data; boundary=b\r\n"
    whole.append(f"{line}Transfer-Encoding: chunked\r\n\r\n".encode() + chunks)
    asked = f"HTTP/1.1\r\n{HEAD}If-None-Match: *\r\nOrigin: null\r\n\r\n"
    whole += [f"GET {path} {asked}".encode() for path in PATHS]
    whole.append(f"GET /ws/index-progress HTTP/1.1\r\n{HEAD}{UPGRADE}\r\n".encode() + FRAMES)
    whole.append(f"DELETE {VIEW} HTTP/1.1\r\n{HEAD}X-API-Key: arthur_a_b\r\n\r\n".encode() + whole[7])
    return whole


SPICES = (
    b"\0",
    b"\r\n",
    b"\r\n\r\n",
    b"\xff\xfe",
    b"%00",
    b"%2e%2e/",
    b" ",
    b":",
    b"-1",
    b"9" * 30,
    b"a" * 5000,
    b"chunked",
    b"\xc3\x28",
)


def spoiled(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """Return a copy with one to four things wrong."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at, to = sorted(chance.randrange(len(out) + 1) for _ in range(2))
        way = chance.randrange(6)
        if way == 0 and out:
            out[min(at, len(out) - 1)] ^= 1 << chance.randrange(8)
        elif way == 1:
            out[at:at] = chance.choice(SPICES)
        elif way == 2:
            del out[at : min(to, at + 200)]
        elif way == 3:
            out[at:at] = out[at : min(to, at + 500)]
        elif way == 4:
            other = chance.choice(others)
            out[at:] = other[chance.randrange(len(other)) :]
        else:
            del out[max(1, at) :]
    return bytes(out)


def described(server: Server, number: int) -> Callable[[], None]:
    """Return a source: each turn is some requests to the next operation of the document."""
    document = httpx.get(server.url + "/api/v1/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    operations = [one.ok() for one in schema.get_all_operations()]
    turns: Iterator[tuple[int, tuple[object, GenerationMode]]] = enumerate(
        cycle([(one, mode) for one in operations for mode in GenerationMode])
    )

    def turn() -> None:
        count, (operation, mode) = next(turns)

        @seed(number + count)
        @settings(
            max_examples=TURN,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode).filter(lambda case: "://" not in str(case.body)))  # type: ignore[attr-defined]  # Schemathesis' operation
        def ask(case: schemathesis.Case) -> None:
            begun, status = time.perf_counter(), 0
            with suppress(OSError):
                status = case.call(base_url=server.url, timeout=HANG_S + 5).status_code
            server.note("described", case.as_curl_command().encode(), status, time.perf_counter() - begun)

        with suppress(schemathesis.errors.InvalidSchema, ValueError):  # nothing wrong can be made of some operations
            ask()

    return turn


def sources(server: Server, number: int) -> list[Callable[[], None]]:
    """Return all sources; a call of one is its turn."""
    chance, files = random.Random(number), pictures()
    whole = whole_requests(files[1])

    def raw() -> None:
        for _ in range(TURN):
            server.send("bytes", spoiled(chance.choice(whole), whole, chance))

    def broken() -> None:
        for _ in range(TURN):
            body = spoiled(chance.choice(files), files, chance)
            head = f"POST /api/v1/match HTTP/1.1\r\n{HEAD}Content-Type: image/*\r\nContent-Length: {len(body)}\r\n\r\n"
            server.send("pictures", head.encode() + body)

    return [described(server, number), raw, broken]


def main() -> int:
    """Run the fuzzer and write its rows."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--server", default="granian", choices=["robyn", "granian"])
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument("--keep", type=Path, default=Path("fuzz-findings"), help="folder for inputs with findings")
    arguments.add_argument("--seed", type=int, default=1)
    given_ = arguments.parse_args()
    given_.keep.mkdir(exist_ok=True)
    columns = record.context(given_.seed, packages=["robyn", "granian", "schemathesis", "hypothesis"])
    serve = argparse.Namespace(server=given_.server, workers=2, admitted=0, nice=5)
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "data", serve) as (process, port):
        server = Server(process.pid, port, given_.keep)
        turns, end = cycle(sources(server, given_.seed)), time.monotonic() + given_.seconds
        while time.monotonic() < end:
            next(turns)()
        healthy = httpx.get(server.url + "/readyz", timeout=HANG_S).status_code == 200
    rows = pl.read_parquet(record.write("fuzz_http", server.rows, {**columns, "server": given_.server}))
    print(rows.group_by("source", "bad").agg(pl.len(), pl.col("seconds").max()).sort("source", "bad"))
    print(f"healthy at the end: {healthy}")
    return int(not healthy or rows["bad"].ne("").any())


if __name__ == "__main__":
    sys.exit(main())
