"""Whether a command line is one of Arthur's."""

from __future__ import annotations

from collections.abc import Sequence

import click
from typer.main import get_command

from arthur.cli import app


def check_command(words: Sequence[str]) -> None:
    """Parse `arthur ...` without running it; raises click.UsageError where it is wrong."""
    program, *rest = words
    assert program == "arthur"
    command: click.Command = get_command(app)
    while isinstance(command, click.Group):
        name, command, rest = command.resolve_command(click.Context(command), rest)
        assert command is not None, name
    command.make_context(command.name, list(rest))
