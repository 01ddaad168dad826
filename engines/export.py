"""Builds an engine from CLIP weights with `onnx` and `numpy` alone; the same as `arthur engines export`."""

import typer

from arthur.cli.engines import export_command

if __name__ == "__main__":
    typer.run(export_command)
