"""What goes wrong with rasters and polygons, told to the map maker."""

from __future__ import annotations


class RasterError(ValueError):
    """A raster, a polygon layer or an output cannot be used; the text says which, why and what to do."""
