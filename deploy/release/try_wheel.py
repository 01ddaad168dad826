"""Installs a wheel into an empty environment without any compiler and matches a photo with it: try_wheel.py WHEEL.

What `pip install arthur-imgreco` and `arthur serve` are to somebody new: packages come as wheels or not at all, the
search path holds no tools, and nothing of the source tree is in reach. Ends with 1 when anything is not as promised.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import venv
from pathlib import Path

START_S = 60
INSTALL = ("install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:")
PICTURE = """
import numpy as np
from PIL import Image, ImageFilter
rng = np.random.default_rng(7)
coarse = Image.fromarray(rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)).resize((800, 600), Image.Resampling.BICUBIC)
fine = Image.fromarray(rng.integers(0, 256, (150, 200, 3), dtype=np.uint8)).resize((800, 600))
work = Image.blend(coarse, fine, 0.4)
work.save("work.jpg", quality=90)
work.rotate(4, expand=True).resize((700, 560)).filter(ImageFilter.GaussianBlur(0.8)).save("photo.jpg", quality=70)
"""


def main(wheel: Path) -> None:
    """Install, serve, put a picture, match a photo of it, stop."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        venv.create(folder / "env", with_pip=True)
        tools = folder / "env" / "bin"
        alone = {"PATH": str(tools), "HOME": name, "LANG": "C.UTF-8"}
        said = {"cwd": folder, "env": alone, "check": True}
        subprocess.run([tools / "pip", *INSTALL, wheel.resolve()], **said)
        subprocess.run([tools / "python", "-c", PICTURE], **said)
        subprocess.run([tools / "arthur", "--version"], **said)
        port = free_port()
        server = subprocess.Popen(
            [tools / "arthur", "serve", "--data", "data", "--port", str(port), "--workers", "1"], cwd=folder, env=alone
        )
        try:
            answer = ask(f"http://127.0.0.1:{port}", folder)
        finally:
            server.send_signal(signal.SIGTERM)
            ended = server.wait(30)
    print(f"{wheel.name}: {answer['decision']}, {answer['probability']:.4f}")
    if (answer["decision"], answer["matches"][0]["entry_id"], ended) != ("match", "work", 0):
        sys.exit(f"not a match, or a server that ended with {ended}: {answer}")


def ask(url: str, folder: Path) -> dict[str, object]:
    """Return the answer about the photo, when its work has been put."""
    end = time.monotonic() + START_S
    while True:
        try:
            urllib.request.urlopen(f"{url}/readyz", timeout=5).close()
            break
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > end:
                sys.exit(f"the server did not get ready in {START_S} s")
            time.sleep(0.1)
    send("PUT", f"{url}/api/v1/artists/a/entries/work/views/main", (folder / "work.jpg").read_bytes())
    return send("POST", f"{url}/api/v1/match", (folder / "photo.jpg").read_bytes())


def send(method: str, url: str, picture: bytes) -> dict[str, object]:
    """Return the JSON answer to a picture."""
    request = urllib.request.Request(url, picture, {"content-type": "image/jpeg"}, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    os.environ.pop("PYTHONPATH", None)
    main(Path(sys.argv[1]))
