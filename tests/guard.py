"""Runs a server for as long as whoever started it lives, and leaves nothing behind. Started by private_servers.py.

usage: guard.py FOLDER USER COMMAND...; the server runs as USER, or as whoever this is. It is killed and the folder
removed when standard input ends, which it does however the starter ends. A server that ends by itself ends its guard,
and the folder stays.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading

GRACE_S = 10.0


def main(folder: str, user: str, *command: str) -> int:
    """Guard one server."""
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)  # a shell that starts tests in the background has them ignore it
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, user=user or None)

    ending = threading.Event()

    def orphaned() -> None:
        sys.stdin.read()
        ending.set()
        server.send_signal(signal.SIGCONT)
        server.send_signal(signal.SIGQUIT)
        try:
            server.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)

    ender = threading.Thread(target=orphaned, daemon=True)
    ender.start()
    status = server.wait()
    if ending.is_set():
        ender.join()
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
