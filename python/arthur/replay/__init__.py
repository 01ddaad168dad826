"""Recorded v1 traffic, sent to an old and a new server, and how their answers and their speed differ."""
