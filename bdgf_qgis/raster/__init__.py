"""Rasters and polygons as GDAL and numpy see them: common grid, labels, tiles, blocks, outputs; no QGIS, no torch."""
