"""Opening rasters, and the files that data sets are made of."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from osgeo import gdal

from ..errors import RasterError
from ..gdal_calls import gdal_errors
from ..texts import listed

_SHIFT = 0.01  # pixels over the whole raster that a rotation term may amount to


def open_raster(path: str, name: str) -> Any:
    """The raster of a layer called `name`, as a GDAL data set of its own, for one thread.

    Raises RasterError, naming the layer, where GDAL cannot read it, or where its grid is rotated or known by ground
    control points only, or where it is a pipe.
    """
    what = f"The layer '{name}' cannot be read by GDAL: choose a raster file; save a web layer (WMS) to one"
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        raise RasterError(f"The layer '{name}' is a pipe or a device: choose a raster file.")  # it might never end
    with gdal_errors(what) as calls:
        # No NUM_THREADS: with it GDAL 3.6 prints an error per tile of a many-band GeoTIFF, and was no faster.
        dataset = gdal.OpenEx(path, gdal.OF_RASTER | gdal.OF_READONLY)
        calls.require(dataset)
        _check(dataset, name)
    return dataset


def _check(dataset: Any, name: str) -> None:
    if dataset.RasterCount == 0:
        raise RasterError(_several_variables(name, dataset))
    if any(gdal.DataTypeIsComplex(dataset.GetRasterBand(n + 1).DataType) for n in range(dataset.RasterCount)):
        raise RasterError(f"The layer '{name}' holds complex numbers: convert it to real numbers first.")
    transform = dataset.GetGeoTransform(can_return_null=True)
    if transform is None:
        if dataset.GetGCPCount():
            raise RasterError(
                f"The layer '{name}' is placed by ground control points only: warp it to a north-up grid first "
                "(Raster, Projections, Warp)."
            )
        return
    turn = max(abs(transform[2]) * dataset.RasterYSize, abs(transform[4]) * dataset.RasterXSize)
    if turn > _SHIFT * min(abs(transform[1]), abs(transform[5])) or transform[1] <= 0 or transform[5] == 0:
        raise RasterError(
            f"The grid of the layer '{name}' is rotated or mirrored: warp it to a north-up grid first "
            "(Raster, Projections, Warp)."
        )


def check_variables(path: str) -> None:
    """Raise RasterError, naming them, where a file (netCDF, HDF ...) holds several rasters and none of its own."""
    with gdal_errors(path):
        dataset = gdal.OpenEx(path, gdal.OF_RASTER | gdal.OF_READONLY)
    if dataset is not None and dataset.RasterCount == 0:
        raise RasterError(_several_variables(path, dataset))


def _several_variables(name: str, dataset: Any) -> str:
    """What to do with a file (netCDF, HDF ...) that holds several rasters, which it names."""
    inside = [path.rsplit(":", 1)[-1].strip('/"') for path, _ in dataset.GetSubDatasets()]
    if not inside:
        return f"The layer '{name}' holds no band: choose another raster."
    return (
        f"The layer '{name}' holds several variables: choose one variable ({listed(inside, 5)}). Add the file with "
        "Layer > Add Raster Layer, where QGIS offers them one by one."
    )


def files_of_dataset(dataset: Any) -> tuple[str, ...]:
    """The files that hold an open raster; of a virtual raster also those that it is made of, however deep."""
    own = dataset.GetDescription()
    files = dataset.GetFileList() or ()
    return (*(own for file in files if file == own), *_with_sources([file for file in files if file != own]))


def files_of_vector(path: str) -> tuple[str, ...]:
    """The files of a vector data set: a shapefile has several, and a virtual one is made of others."""
    if gdal.IdentifyDriverEx(path, gdal.OF_VECTOR, ["GPKG", "SQLite"]) is not None:
        return (path,)  # opening it would change it
    with suppress(RasterError), gdal_errors(path):
        dataset = gdal.OpenEx(path, gdal.OF_VECTOR | gdal.OF_READONLY)
        if dataset is not None:
            return path, *_with_sources(dataset.GetFileList() or ())
    return (path,)


def _with_sources(files: Sequence[str]) -> tuple[str, ...]:
    """Files, and what the virtual rasters among them are made of, which GDAL tells one step deep."""
    known: dict[str, None] = {}
    waiting = list(files)
    while waiting:
        file = waiting.pop()
        if file in known:
            continue
        known[file] = None
        with suppress(RasterError), gdal_errors(file):
            if gdal.IdentifyDriverEx(file, gdal.OF_RASTER, ["VRT"]) is not None:
                dataset = gdal.OpenEx(file, gdal.OF_RASTER | gdal.OF_READONLY)
                waiting += (dataset.GetFileList() or ()) if dataset is not None else ()
    return tuple(known)
