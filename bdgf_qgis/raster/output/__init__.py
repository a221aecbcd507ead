"""Rasters that are written: whole or not at all, with classes, statistics and lineage."""
