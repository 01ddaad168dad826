"""`arthur serve`: the HTTP server."""

from __future__ import annotations

from typing import Annotated

import typer

from arthur.cli.options import Data, Engine
from arthur.errors import ConfigError


def serve(
    *,
    data: Data = None,
    engine: Engine = None,
    embedder: Annotated[
        str | None, typer.Option(help="Embedding services instead of an engine: http://host:port or unix:/path, ...")
    ] = None,
    server: Annotated[
        str | None, typer.Option(help="robyn, or granian for direct exposure.", show_default="robyn")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.", show_default="9000")] = None,
    workers: Annotated[int | None, typer.Option(help="Web processes; 0 chooses.", show_default="0")] = None,
    open_: Annotated[
        bool, typer.Option("--open", help="Demand no API key of anyone and take writes, also on a public address.")
    ] = False,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.", show_default="info")] = None,
) -> None:
    """Serve the API, the legacy routes and the page until SIGTERM or SIGINT.

    Every setting can also come from ARTHUR_* variables or arthur.toml.
    """
    from arthur.config import load_settings
    from arthur.web.serve import serve as supervise

    if engine is not None and embedder is not None:
        raise ConfigError(
            "--engine and --embedder exclude each other: a service runs the engine that it was started with"
        )
    engine = embedder or engine
    listening = {"server": server, "host": host, "port": port, "workers": workers}
    given = {"data": data, "engine": engine, "log_level": log_level, "access": "open" if open_ else None}
    raise typer.Exit(supervise(load_settings(**given, **listening)))
