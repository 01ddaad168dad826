"""Generates the TypeScript client from the OpenAPI document, checks its types, and runs its example on a live server.

    python clients/typescript/build.py

Needs Node and npm. `src/schema.ts` begins with the fingerprint of the document it was made of, so that a test can see,
without Node, that it is stale.
"""

from __future__ import annotations

import hashlib
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

from arthur.simulation.photo import photograph
from arthur.web.openapi import openapi_json
from arthur.web.routes import all_routes
from bench.artphoto.paintings import painting

HERE = Path(__file__).parent
SCHEMA = HERE / "src" / "schema.ts"
MARK = "// OpenAPI "
READY_S = 120


def document() -> bytes:
    """Return the OpenAPI document, without the version of the checkout, so that a release does not make it another."""
    return openapi_json(all_routes(), "0")


def fingerprint() -> str:
    """Return the SHA-256 of the document, whatever the order of its members."""
    return hashlib.sha256(json.dumps(json.loads(document()), sort_keys=True).encode()).hexdigest()


def generate() -> None:
    """Write `src/schema.ts`."""
    (HERE / "openapi.json").write_bytes(document())
    npm("run", "--silent", "generate")
    SCHEMA.write_text(f"{MARK}{fingerprint()}\n{SCHEMA.read_text()}")


def npm(*words: str) -> None:
    """Run npm in this folder; end the program if it fails."""
    if subprocess.run(["npm", *words], cwd=HERE, check=False).returncode != 0:
        raise SystemExit(f"npm {' '.join(words)} failed")


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve an empty catalogue and yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "arthur", "serve", "--data", folder, "--port", str(port), "--workers", "1"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url, end = f"http://127.0.0.1:{port}", time.monotonic() + READY_S
        while not ready(url):
            if server.poll() is not None or time.monotonic() > end:
                raise SystemExit("the server did not become ready")
            time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=60)


def ready(url: str) -> bool:
    """Whether the server could recognize a photo now."""
    try:
        return httpx.get(f"{url}/readyz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def run_example() -> None:
    """Run the example with a painting and a photo of it; end the program if it does not recognize it."""
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "data") as url:
        picture, photo = Path(folder) / "picture.jpg", Path(folder) / "photo.jpg"
        pixels = painting(0, 0, 0, size=512)
        Image.fromarray(pixels).save(picture)
        Image.fromarray(photograph(np.asarray(pixels), 7, severity=1)[0]).save(photo)
        npm("run", "--silent", "example", "--", url, str(picture), str(photo))


def main() -> None:
    """Do all of it."""
    npm("ci", "--no-progress")
    generate()
    npm("run", "--silent", "build")
    run_example()


if __name__ == "__main__":
    main()
