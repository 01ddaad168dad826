"""Fits the decision to a catalogue: its pictures are photographed by simulation, and what Arthur sees is counted."""
