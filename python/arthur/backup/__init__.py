"""Backups: a catalogue at one sequence and the pictures of its views, as objects named by what they hash to."""
