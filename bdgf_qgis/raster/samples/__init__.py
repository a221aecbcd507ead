"""Polygons: their classes, the pixels under them, what is held out, and what a map says there."""
