"""What tells whether a raster is still the same: its files' sizes and times, and how GDAL reads them."""

from __future__ import annotations

import os

from osgeo import gdal

from ..gdal_calls import gdal_errors
from .raster import Raster

_BESIDE = (".aux.xml", ".ovr", ".msk.ovr")  # QGIS and GDAL write them while a raster is only looked at


def fingerprint(raster: Raster) -> list[object]:
    """Values for JSON that change when the raster does; the content of its files is not read."""
    names = sorted(file for file in raster.files if not file.lower().endswith(_BESIDE))
    bands = [
        [band.storage.stored.name, *map(repr, (band.nodata, band.storage.scale, band.storage.offset))]
        for band in raster.bands
    ]
    grid = raster.grid
    place = [grid.width, grid.height, grid.transform, grid.wkt]
    return [raster.path, raster.ranges, raster.own_nodata, place, bands, [_state(name) for name in names]]


def _state(name: str) -> list[object]:
    """Name, size and time of change of a file, also of one inside an archive or on a server."""
    try:
        found = os.stat(name)
        return [name, found.st_size, found.st_mtime_ns]
    except OSError:
        with gdal_errors(name):
            state = gdal.VSIStatL(name)
        return [name] if state is None else [name, state.size, state.mtime]
