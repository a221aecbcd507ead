"""The outline of a region of pixels as a polygon."""

from __future__ import annotations

from typing import Any

import numpy as np
from osgeo import gdal, ogr

from .gdal_calls import gdal_errors

_DEVIATION = 0.5  # pixels that the outline may be off: no centre of a pixel changes sides
_SMALLEST_HOLE = 4  # pixels below which a hole is closed
_WHAT = "The outline of a region cannot be drawn"

Transform = tuple[float, float, float, float, float, float]


def outline_of(region: np.ndarray, transform: Transform, place: tuple[int, int]) -> bytes:
    """The polygon, as WKB, of the part of a region that holds a pixel; parts touch along pixels' sides.

    region     bool (h, w)
    transform  GDAL's six numbers of its pixels
    place      row and column of the pixel, which belongs to the region

    Holes of less than 4 pixels are closed, and the outline is simplified by at most half a pixel. Raises RasterError
    where GDAL cannot do it.
    """
    rows, columns = (_span(region.any(axis)) for axis in (1, 0))
    west, wide, _, north, _, high = transform
    with gdal_errors(_WHAT) as calls:
        found = _polygon(region[rows, columns], (place[0] - rows.start, place[1] - columns.start))
        calls.require(found)
        outline = ogr.Geometry(ogr.wkbPolygon)
        for number in range(found.GetGeometryCount()):
            ring = found.GetGeometryRef(number)
            if number == 0 or ring.GetArea() >= _SMALLEST_HOLE:
                outline.AddGeometry(ring)
        simple = outline.SimplifyPreserveTopology(_DEVIATION)
        calls.require(simple)
        placed = ogr.Geometry(ogr.wkbPolygon)
        for number in range(simple.GetGeometryCount()):
            ring = ogr.Geometry(ogr.wkbLinearRing)
            for column, row in simple.GetGeometryRef(number).GetPoints(2):
                ring.AddPoint_2D(west + (column + columns.start) * wide, north + (row + rows.start) * high)
            placed.AddGeometry(ring)
        return bytes(placed.ExportToWkb())


def _polygon(region: np.ndarray, place: tuple[int, int]) -> Any:
    """The polygon in pixel coordinates that holds a pixel; None where there is none."""
    height, width = region.shape
    image = gdal.GetDriverByName("MEM").Create("", width, height, 1, gdal.GDT_Byte)
    image.SetGeoTransform((0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
    band = image.GetRasterBand(1)
    band.WriteArray(region.astype(np.uint8))
    store = ogr.GetDriverByName("Memory").CreateDataSource("")
    layer = store.CreateLayer("", None, ogr.wkbPolygon)
    gdal.Polygonize(band, band, layer, -1)
    centre = ogr.Geometry(ogr.wkbPoint)
    centre.AddPoint_2D(place[1] + 0.5, place[0] + 0.5)
    layer.SetSpatialFilter(centre)
    for feature in layer:
        if feature.GetGeometryRef().Contains(centre):
            return feature.GetGeometryRef().Clone()
    return None


def _span(line: np.ndarray) -> slice:
    places = np.flatnonzero(line)
    return slice(int(places[0]), int(places[-1]) + 1)
