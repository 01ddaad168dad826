"""Look at ArtPhoto-sim, and name its version.

python -m bench.artphoto sheet works|photos|open-set|nothing --into FILE.png [--rows 8]
python -m bench.artphoto version
"""

import argparse
from pathlib import Path

import cv2

from bench.artphoto.benchmark import VERSION, version
from bench.artphoto.sheet import SHEETS, sheet


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    drawn = commands.add_parser("sheet", help="draw a contact sheet")
    drawn.add_argument("of", choices=SHEETS)
    drawn.add_argument("--into", type=Path, required=True, help="PNG or JPEG file")
    drawn.add_argument("--rows", type=int, default=8)
    commands.add_parser("version", help="recompute the benchmark's version; status 1 if it is not the committed one")
    given = parser.parse_args()
    if given.command == "version":
        print(found := version())
        raise SystemExit(found != VERSION)
    if not cv2.imwrite(str(given.into), sheet(SHEETS[given.of](given.rows))[..., ::-1]):
        raise SystemExit(f"cannot write {given.into}")


if __name__ == "__main__":
    main()
