"""Builds an engine's ONNX graphs from the weights of a CLIP, with `onnx` and `numpy` alone."""
