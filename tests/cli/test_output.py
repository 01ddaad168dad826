"""Claims about progress: a terminal sees it from the first step on, and a pipe sees nothing."""

import os
import subprocess
import sys

import pytest

SCRIPT = "from arthur.cli.output import progress_bar\nwith progress_bar('counting') as advance:\n    advance(1, 2)\n"


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_shown_on_a_terminal_alone(*, terminal: bool) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm", "COLUMNS": "80"}
    ours, theirs = os.openpty() if terminal else os.pipe()
    done = subprocess.run([sys.executable, "-c", SCRIPT], stderr=theirs, env=environment, timeout=60, check=False)
    os.close(theirs)
    shown = os.read(ours, 4096)  # a pipe that nobody wrote into is at its end
    os.close(ours)
    assert (done.returncode, b"counting" in shown) == (0, terminal)
