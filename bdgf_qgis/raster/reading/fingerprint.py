"""What tells whether a raster is still the same: its files' sizes and times, and how GDAL reads them."""

from __future__ import annotations

import os

from osgeo import gdal

from ..gdal_calls import gdal_errors
from .source import RasterSource, dataset_grid, open_source
from .storage import storage_of

_BESIDE = (".aux.xml", ".ovr", ".msk.ovr")  # QGIS and GDAL write them while a raster is only looked at


def fingerprint(source: RasterSource) -> list[object]:
    """Values for JSON that change when the raster does; the content of its files is not read.

    Raises RasterError as open_source does.
    """
    dataset = open_source(source)
    names = [each for each in dataset.GetFileList() or [] if not each.lower().endswith(_BESIDE)]
    bands = []
    for number in range(1, dataset.RasterCount + 1):
        band = dataset.GetRasterBand(number)
        storage = storage_of(band)
        values = band.GetNoDataValue(), storage.scale, storage.offset
        bands.append([storage.stored.name, *(repr(each) for each in values)])
    grid = dataset_grid(dataset, source.wkt)
    place = [grid.width, grid.height, grid.transform, grid.wkt]
    return [source.path, source.ranges, source.own_nodata, place, bands, [_state(each) for each in sorted(names)]]


def _state(name: str) -> list[object]:
    """Name, size and time of change of a file, also of one inside an archive or on a server."""
    try:
        found = os.stat(name)
        return [name, found.st_size, found.st_mtime_ns]
    except OSError:
        with gdal_errors(name):
            state = gdal.VSIStatL(name)
        return [name] if state is None else [name, state.size, state.mtime]
