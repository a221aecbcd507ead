"""Coordinate reference systems, and the transformation between two."""

from __future__ import annotations

from typing import Any

from osgeo import osr

from ..gdal_calls import gdal_errors


def reference_of(wkt: str, what: str) -> Any:
    """The CRS of a WKT text with x before y.

    Raises RasterError, beginning with `what`, where it cannot be understood.
    """
    with gdal_errors(what) as calls:
        reference = osr.SpatialReference()
        calls.require(reference.ImportFromWkt(wkt) == 0)
        reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    return reference


def transformation(wkt_from: str, wkt_to: str, what: str) -> Any:
    """The osr transformation between two CRSs; None where they are the same or one is unknown ('').

    Raises RasterError, beginning with `what`, where PROJ knows none.
    """
    if not wkt_from or not wkt_to or wkt_from == wkt_to:
        return None
    first, second = reference_of(wkt_from, what), reference_of(wkt_to, what)
    with gdal_errors(what) as calls:
        if first.IsSame(second, ["IGNORE_DATA_AXIS_TO_SRS_AXIS_MAPPING=YES", "CRITERION=EQUIVALENT"]):
            return None
        found = osr.CoordinateTransformation(first, second)
        calls.require(found is not None and getattr(found, "this", None) is not None)
    return found
