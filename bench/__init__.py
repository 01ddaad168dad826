"""Measuring Arthur: data, speed and accuracy. Nothing here is part of the installed package."""
