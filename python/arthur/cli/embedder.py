"""`arthur embedder`: an engine as a service of its own."""

from __future__ import annotations

from typing import Annotated

import typer

from arthur.cli.options import Data, Engine

app = typer.Typer(help="Run an engine as a service for several servers.", no_args_is_help=True)


@app.callback()
def embedder() -> None:
    """Run an engine as a service for several servers."""


@app.command()
def serve(
    *,
    engine: Engine = None,
    listen: Annotated[
        str | None, typer.Option(help="http://host:port or unix:/path.", show_default="http://127.0.0.1:9100")
    ] = None,
    data: Data = None,
    batch: Annotated[int | None, typer.Option(help="Pictures in one run at most.", show_default="8")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.", show_default="info")] = None,
) -> None:
    """Serve one engine until SIGTERM or SIGINT; servers reach it with `arthur serve --embedder ADDRESS`.

    One process, started anew when it dies. Every setting can also come from ARTHUR_* variables or arthur.toml.
    """
    from arthur.config import load_settings
    from arthur.web.embedder import serve_embedder

    given = {"data": data, "engine": engine, "embedder_listen": listen, "batch_max": batch, "log_level": log_level}
    raise typer.Exit(serve_embedder(load_settings(**given)))
