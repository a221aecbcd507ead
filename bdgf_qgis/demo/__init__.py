"""A simulated town: rasters, polygons and the truth, of any size, for first steps and for tests."""
