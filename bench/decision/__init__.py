"""Fits the decision that ships with Arthur: a catalogue is painted and photographed, and the whole product looks."""
