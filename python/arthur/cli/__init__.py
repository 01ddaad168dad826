"""The command line: one module per command, each a thin skin over what it calls.

Exit status: 0 done; 1 an operation failed, or some of its items; 2 wrong usage or settings; 130 interrupted.
What a command answers goes to standard output, everything else to standard error.
"""

from __future__ import annotations

from collections.abc import Sequence

import typer

from arthur.cli import (
    audit,
    backup,
    building,
    calibrate,
    catalog,
    doctor,
    embedder,
    engines,
    enroll,
    export,
    forget,
    importing,
    jobs,
    keys,
    likenesses,
    match,
    openapi,
    reindex,
    replay,
    report,
    search,
    serve,
    similar,
    status,
    top,
    tuning,
    webhooks,
)
from arthur.cli.options import version_option
from arthur.errors import ArthurError, BadRequest, ConfigError, EngineMismatch, UnusableEngine

__all__ = ["app", "run"]

FAILED, MISUSED = 1, 2
_MISUSE = (BadRequest, ConfigError, EngineMismatch, UnusableEngine)


def _application() -> typer.Typer:
    """Return the command line as a Typer application."""
    app = typer.Typer(
        name="arthur",
        help="Recognize artworks: a photo in, the right entry of your catalogue (or an honest none) out.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        add_completion=True,
    )
    app.callback()(version_option)
    app.command("serve")(serve.serve)
    app.command("enroll")(enroll.enroll)
    app.command("import")(importing.import_)
    app.command("match")(match.match)
    app.command("similar")(similar.similar)
    app.command("search")(search.search)
    app.command("confusables")(likenesses.confusables)
    app.command("duplicates")(likenesses.duplicates)
    app.command("forget")(forget.forget)
    app.command("calibrate")(calibrate.calibrate)
    app.command("reindex")(reindex.reindex)
    app.command("export")(export.export)
    app.command("backup")(backup.backup)
    app.command("restore")(backup.restore)
    app.command("replay")(replay.replay)
    app.command("report")(report.report)
    app.command("openapi")(openapi.openapi)
    app.command("status")(status.status)
    app.command("top")(top.top)
    app.command("doctor")(doctor.doctor)
    app.command("audit")(audit.audit)
    app.add_typer(keys.app, name="keys")
    app.add_typer(webhooks.app, name="webhooks")
    app.add_typer(jobs.app, name="jobs")
    app.add_typer(catalog.app, name="catalog")
    building.add_commands(engines.app)
    engines.app.command("tune")(tuning.tune_command)
    app.add_typer(engines.app, name="engines")
    app.add_typer(embedder.app, name="embedder")
    return app


app = _application()


def run(argv: Sequence[str]) -> int:
    """Run one command and return the exit status; an ArthurError becomes one line on standard error."""
    try:
        app(args=list(argv), prog_name="arthur")
    except ArthurError as error:
        typer.echo(f"arthur: {error}", err=True)
        return MISUSED if isinstance(error, _MISUSE) else FAILED
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else FAILED
    return 0
