"""The first run, as `make run` does it: draw a gallery, import it, serve it, match a photo of one work, go on serving.

Everything goes through the same command line and HTTP interface that a user has.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import httpx
import numpy as np
from PIL import Image
from rich.console import Console

from arthur.simulation.photo import photograph
from bench.artphoto.paintings import painting

ARTISTS = 8
WORKS_PER_ARTIST = 6
PHOTOGRAPHED = ("artist-05", "work-03")
FOLDER = Path("data/demo")
ARTHUR = Path(sys.executable).with_name("arthur")


def draw_gallery(folder: Path) -> int:
    """Draw the works as `artist/work.jpg` where they are not there yet; return how many there are."""
    for artist in range(ARTISTS):
        for work in range(WORKS_PER_ARTIST):
            path = folder / f"artist-{artist:02}" / f"work-{work:02}.jpg"
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(painting(artist, work, 0, size=512)).save(path, quality=90)
    return ARTISTS * WORKS_PER_ARTIST


def take_photo(gallery: Path, path: Path) -> None:
    """Photograph one work by hand, as the simulator sees it: tilted, on a wall, under uneven light."""
    with Image.open(gallery / PHOTOGRAPHED[0] / f"{PHOTOGRAPHED[1]}.jpg") as work:
        photo, _ = photograph(_array(work), 7, severity=1)
    Image.fromarray(photo).save(path, quality=85)


def _array(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB"))


def free_port(wanted: int) -> int:
    """Return `wanted` if nothing listens there, else some free port."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise SystemExit("no free port on 127.0.0.1")


@contextmanager
def served(port: int) -> Iterator[str]:
    """Serve the demo's data folder and yield the base address once it is ready; stop it at the end."""
    base = f"http://127.0.0.1:{port}"
    for number in (signal.SIGINT, signal.SIGTERM):  # set even where a shell had them ignored, as for background jobs
        signal.signal(number, _interrupt)
    server = subprocess.Popen([ARTHUR, "serve", "--data", FOLDER, "--port", str(port)])
    try:
        deadline = time.monotonic() + 60
        while not _ready(base):
            if server.poll() is not None:
                raise SystemExit("the server stopped before it was ready")
            if time.monotonic() > deadline:
                raise SystemExit("the server was not ready within 60 s")
            time.sleep(0.1)
        yield base
        server.wait()
    except KeyboardInterrupt:
        pass
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=30)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _ready(base: str) -> bool:
    try:
        return httpx.get(f"{base}/readyz", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def match(base: str, photo: Path, console: Console) -> None:
    """Post the photo, print the answer and end the program if it names another work."""
    started = time.perf_counter()
    answer = httpx.post(f"{base}/api/v1/match?k=3", files={"image": ("photo.jpg", photo.read_bytes())}, timeout=30)
    took_ms = 1000 * (time.perf_counter() - started)
    answer.raise_for_status()
    console.print_json(json.dumps(answer.json()))
    best = answer.json()["matches"][0]
    correct = (best["artist_id"], best["entry_id"]) == PHOTOGRAPHED
    console.print(f"   {'right' if correct else 'WRONG'}, in {took_ms:.0f} ms over HTTP")
    if not correct:
        raise SystemExit(1)


def main() -> None:
    """Run the whole path; end with status 1 if the photo is not recognised as the work it shows."""
    console = Console()
    gallery, photo = FOLDER / "gallery", FOLDER / "photo.jpg"
    console.print(f"[bold]1[/] drawing {draw_gallery(gallery)} works into {gallery}")
    take_photo(gallery, photo)
    console.print("[bold]2[/] importing them")
    subprocess.run([ARTHUR, "import", gallery, "--data", FOLDER], check=True)
    console.print("[bold]3[/] starting the server")
    with served(free_port(int(os.environ.get("ARTHUR_PORT", "9000")))) as base:
        console.print(f"[bold]4[/] matching {photo}, a photo of {'/'.join(PHOTOGRAPHED)}")
        match(base, photo, console)
        console.print(f"\n   page      {base}/\n   API docs  {base}/docs")
        console.print(f"   match     curl -F image=@{photo} {base}/api/v1/match", soft_wrap=True)
        console.print("   Ctrl-C stops the server")


if __name__ == "__main__":
    main()
