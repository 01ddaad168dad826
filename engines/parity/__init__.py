"""Compares exported graphs with `transformers` and `open_clip` on random weights."""
