"""Rasters at the resolution of a screen, for answers while the user waits: read through GDAL's own decimation.

A coarser raster is a virtual one whose text stands in place of a file's name, so that nothing is left to be deleted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from osgeo import gdal

from ..gdal_calls import gdal_errors
from ..grid import Grid
from .opening import open_raster
from .raster import Raster

_XML = "xml:VRT"  # the domain in which a virtual raster tells its text


def coarser(rasters: Sequence[Raster], reference: Raster, factor: float) -> tuple[list[Raster], Raster]:
    """Rasters, and the one whose grid rules, with pixels as large as `factor` times the latter's; none gets finer ones.

    Of the pixels that become one, it has the value of one; overviews are used where there are any. Raises RasterError
    where a file cannot be read.
    """
    known: dict[Raster, Raster] = {}
    for raster in (reference, *rasters):
        if raster not in known:
            known[raster] = _coarser(raster, factor * _ratio(reference, raster))
    return [known[raster] for raster in rasters], known[reference]


def _ratio(reference: Raster, raster: Raster) -> float:
    """How many pixels of a raster lie along a pixel of the reference; 1 where that is not known."""
    if all(reference.pixel_metres) and all(raster.pixel_metres):
        return min(reference.pixel_metres) / min(raster.pixel_metres)
    if reference.grid.wkt == raster.grid.wkt:
        return min(reference.grid.pixel_size) / min(raster.grid.pixel_size)
    return 1.0


def _coarser(raster: Raster, factor: float) -> Raster:
    width, height = (max(1, round(side / factor)) for side in (raster.grid.width, raster.grid.height))
    if width >= raster.grid.width or height >= raster.grid.height:
        return raster
    dataset = open_raster(raster.path, raster.name)
    with gdal_errors(f"The layer '{raster.name}' cannot be read: the file may be damaged or gone") as calls:
        virtual = gdal.Translate("", dataset, options=gdal.TranslateOptions(format="VRT", width=width, height=height))
        calls.require(virtual)
        text = virtual.GetMetadata(_XML)[0]
    grid = raster.grid
    west, wide, _, north, _, high = grid.transform
    place = (west, wide * grid.width / width, 0.0, north, 0.0, high * grid.height / height)
    return replace(raster, path=text, grid=Grid(width, height, place, grid.wkt))
