"""`arthur replay`: recorded v1 traffic against an old and a new server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from arthur.cli.options import Json
from arthur.cli.output import answer, progress_bar


def replay(
    recording: Annotated[Path, typer.Argument(help="A .har, .jsonl or .log file, or a folder of pictures.")],
    *,
    old: Annotated[str, typer.Option(help="Address of the old server.")],
    new: Annotated[str, typer.Option(help="Address of the new server.")],
    new_key: Annotated[
        str | None, typer.Option(envvar="ARTHUR_REPLAY_KEY", help="API key for the new server.", show_default=False)
    ] = None,
    pictures: Annotated[Path | None, typer.Option(help="Pictures for the recognitions of a .log file.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Send so many requests at most.")] = None,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="Requests under way at the same time.")] = 1,
    writes: Annotated[bool, typer.Option("--writes", help="Send also what changes something, to both.")] = False,
    score_tolerance: Annotated[float, typer.Option(min=0, help="Difference of scores that counts as none.")] = 0.05,
    timeout_s: Annotated[float, typer.Option(min=0.1, help="Time for each step of a request, seconds.")] = 30.0,
    rows: Annotated[Path | None, typer.Option(help="Where to write each exchange: .parquet, .csv, .jsonl.")] = None,
    json: Json = False,
) -> None:
    """Send recorded requests to two servers and tell how answers and latency differ.

    Only GET and recognition are sent, unless --writes is given. Status 1 if an answer differs, or nothing was sent.
    """
    from arthur.cli.importing import INTERRUPTED, interruption
    from arthur.replay.opening import Options, opened_pair
    from arthur.replay.recordings import read_recording
    from arthur.replay.report import check_table_path, summary_of, table_of, text_of, write_table
    from arthur.replay.sending import Selection
    from arthur.replay.sending import replay as sent

    if rows is not None:
        check_table_path(rows)
    chosen = Selection(read_recording(recording, pictures=pictures), writes=writes, limit=limit)
    done = []
    options = Options(new_key=new_key, tolerance=score_tolerance, timeout_s=timeout_s)
    with opened_pair(old, new, options) as ask, progress_bar("replay") as advance, interruption() as stopped:
        for exchange in sent(chosen, ask, concurrency=concurrency):
            done.append(exchange.members)  # without the bodies, which are pictures
            advance(len(done), limit or len(done))
            if stopped():
                break
        interrupted = stopped()
    table = table_of(done)
    summary = summary_of(table, writes_left_out=chosen.writes_left_out, unusable=chosen.unusable)
    if rows is not None:
        write_table(table, rows)
    answer(summary, text_of(table, summary), json=json)
    if interrupted:
        raise typer.Exit(INTERRUPTED)
    if set(table["difference"]) != {"same"}:
        raise typer.Exit(1)
