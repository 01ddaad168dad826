"""Proof on a real GPU: builds, verifies and measures engines there in one command, without a network."""
