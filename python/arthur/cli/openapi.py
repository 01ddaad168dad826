"""`arthur openapi`: the description of the HTTP API, without a server."""

from __future__ import annotations

import typer

from arthur.release import installed_version


def openapi() -> None:
    """Write the OpenAPI 3.1 document of the HTTP API, as the server gives it at /openapi.json."""
    from arthur.web.openapi import openapi_json
    from arthur.web.routes import all_routes

    typer.echo(openapi_json(all_routes(), installed_version()).decode())
