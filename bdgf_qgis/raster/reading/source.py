"""A raster as the user picked it, and opening it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Optional

from osgeo import gdal

from ....model.shared.text import short_name
from ..errors import RasterError
from ..gdal_calls import gdal_errors
from ..grid import Grid
from ..texts import listed

_SHIFT = 0.01  # pixels over the whole raster that a rotation term may amount to
_UNPLACED = (0.0, 1.0, 0.0, 0.0, 0.0, 1.0)  # what GDAL says where a raster has no place


@dataclass(frozen=True)
class RasterSource:
    """One raster.

    path        what GDAL opens
    name        how messages call it: the layer's name
    nodata      the layer's additional no-data ranges (lowest, highest), both ends included, in scaled values as the
                layer shows them
    own_nodata  whether the no-data value of the file counts (it can be switched off in the layer's properties)
    wkt         the CRS that the layer's properties put in place of the file's; '' keeps that one
    added       more numbers that are no data, in scaled values: what the user entered, or the model remembers
    """

    path: str
    name: str
    nodata: tuple[tuple[float, float], ...] = ()
    own_nodata: bool = True
    wkt: str = ""
    added: tuple[float, ...] = ()

    @property
    def ranges(self) -> tuple[tuple[float, float], ...]:
        """All closed ranges of scaled values that are no data."""
        return (*self.nodata, *((each, each) for each in self.added))

    def with_nodata(self, values: Iterable[float]) -> RasterSource:
        """The same raster with more numbers that are no data."""
        return replace(self, added=tuple(sorted({*self.added, *values})))


@dataclass(frozen=True)
class BandList:
    """The bands of a raster that hold data (an alpha band does not): numbers from 1, and names."""

    numbers: tuple[int, ...]
    names: tuple[str, ...]


def open_source(source: RasterSource) -> Any:
    """The raster as a GDAL data set of its own, for one thread.

    Raises RasterError, naming the layer, where GDAL cannot read it, or where its grid is rotated or known by ground
    control points only, or where it is a pipe.
    """
    what = f"The layer '{source.name}' cannot be read by GDAL: choose a raster file; save a web layer (WMS) to one"
    if os.path.exists(source.path) and not os.path.isfile(source.path) and not os.path.isdir(source.path):
        raise RasterError(
            f"The layer '{source.name}' is a pipe or a device: choose a raster file."
        )  # it might never end
    with gdal_errors(what) as calls:
        # No NUM_THREADS: with it GDAL 3.6 prints an error per tile of a many-band GeoTIFF, and was no faster.
        dataset = gdal.OpenEx(source.path, gdal.OF_RASTER | gdal.OF_READONLY)
        calls.require(dataset)
        _check(dataset, source.name)
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


def is_south_up(dataset: Any) -> bool:
    """Whether the first row is the southernmost."""
    transform = dataset.GetGeoTransform(can_return_null=True)
    return transform is not None and tuple(transform) != _UNPLACED and transform[5] > 0


def dataset_grid(dataset: Any, wkt: str = "") -> Grid:
    """The north-up grid of an open raster; without a place, pixel (0, 0) lies at (0, 0) as in QGIS.

    wkt stands in place of the file's CRS.
    """
    transform = dataset.GetGeoTransform(can_return_null=True)
    if transform is None or tuple(transform) == _UNPLACED:
        transform = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
    west, wide, _, north, _, high = transform
    if high > 0:
        north, high = north + dataset.RasterYSize * high, -high
    return Grid(dataset.RasterXSize, dataset.RasterYSize, (west, wide, 0.0, north, 0.0, high), wkt or _wkt(dataset))


def files_of(source: RasterSource) -> tuple[str, ...]:
    """The files that hold a raster; of a virtual raster also those that it is made of, however deep.

    Raises RasterError as open_source does.
    """
    return _with_sources(open_source(source).GetFileList() or ())


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
    found: dict[str, None] = {}
    waiting = list(files)
    while waiting:
        each = waiting.pop()
        if each in found:
            continue
        found[each] = None
        with suppress(RasterError), gdal_errors(each):
            if gdal.IdentifyDriverEx(each, gdal.OF_RASTER, ["VRT"]) is not None:
                dataset = gdal.OpenEx(each, gdal.OF_RASTER | gdal.OF_READONLY)
                waiting += (dataset.GetFileList() or ()) if dataset is not None else ()
    return tuple(found)


def grid_of(source: RasterSource) -> Grid:
    """The north-up grid of a raster.

    Raises RasterError as open_source does.
    """
    return dataset_grid(open_source(source), source.wkt)


def dataset_bands(dataset: Any) -> BandList:
    """The bands that hold data, named by their descriptions."""
    bands = [(n, dataset.GetRasterBand(n)) for n in range(1, dataset.RasterCount + 1)]
    data = [(n, band) for n, band in bands if band.GetColorInterpretation() != gdal.GCI_AlphaBand]
    names = tuple(short_name(band.GetDescription() or "") or f"Band {n}" for n, band in data)
    return BandList(tuple(n for n, _ in data), names)


def bands_of(source: RasterSource) -> BandList:
    """The bands of a raster that hold data.

    Raises RasterError as open_source does.
    """
    return dataset_bands(open_source(source))


def find_bands(bands: BandList, names: Sequence[str]) -> Optional[tuple[int, ...]]:
    """Numbers of the bands with these names, in this order; None where one is missing. Equal names go by order."""
    free: dict[str, list[int]] = {}
    for number, name in zip(bands.numbers, bands.names):
        free.setdefault(name, []).append(number)
    try:
        return tuple(free[name].pop(0) for name in names)
    except (KeyError, IndexError):
        return None


def _wkt(dataset: Any) -> str:
    reference = dataset.GetSpatialRef()
    if reference is None:
        return ""
    return reference.ExportToWkt() or reference.ExportToWkt(["FORMAT=WKT2_2019"]) or ""
