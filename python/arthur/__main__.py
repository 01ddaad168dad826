"""Entry of the `arthur` command."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from arthur.cli import run


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status; `argv` defaults to the process's."""
    return run(sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    sys.exit(main())
