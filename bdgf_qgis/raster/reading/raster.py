"""A raster as it lies on disk and as its layer shows it: described once, by one opening, and passed on as plain values.

Matching, the choice of the reference grid, overlap, refusals and the places that no result may take go by the
description alone; a data set is opened again only where pixels are read.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Optional

import numpy as np
from osgeo import gdal, gdal_array

from ....model.shared.infos import ClassInfo, SceneInfo
from ....model.shared.text import plain_text, short_name
from ..errors import RasterError
from ..gdal_calls import gdal_errors
from ..grid import Grid
from ..output.metadata import Lineage, read_class_table, read_lineage
from ..texts import quoted
from .opening import files_of_dataset, open_raster
from .pixel_size import pixel_metres
from .wavelength import wavelength_of

_UNPLACED = (0.0, 1.0, 0.0, 0.0, 0.0, 1.0)  # what GDAL says where a raster has no place
_ROUNDED = 1e-6  # how far a number that was scaled may be off, as a share of it
_BESIDE = (".aux.xml", ".ovr", ".msk.ovr")  # QGIS and GDAL write them while a raster is only looked at


@dataclass(frozen=True)
class Storage:
    """How a band stores its numbers, and the values that they stand for.

    GDAL below 3.7 has no type for signed bytes and calls them Byte.

    stored  numpy type of the numbers in the file
    scale, offset  value = stored number * scale + offset
    """

    stored: np.dtype
    scale: float = 1.0
    offset: float = 0.0

    @property
    def scaled(self) -> bool:
        """Whether values differ from the stored numbers."""
        return (self.scale, self.offset) != (1.0, 0.0)

    @property
    def signed_byte(self) -> bool:
        """Whether GDAL may take the numbers for unsigned ones."""
        return bool(self.stored == np.int8)

    @property
    def dtype(self) -> np.dtype:
        """Type of the values: as stored, or floating point as wide as the stored numbers need."""
        if not self.scaled:
            return self.stored
        return np.dtype(np.float32 if np.can_cast(self.stored, np.float32) else np.float64)

    def numbers(self, array: np.ndarray) -> np.ndarray:
        """An array that GDAL read, in the stored type."""
        return array.view(np.int8) if self.signed_byte and array.dtype == np.uint8 else array

    def values(self, numbers: np.ndarray) -> np.ndarray:
        """The values of stored numbers, in `dtype`."""
        if not self.scaled:
            return numbers
        with np.errstate(over="ignore", invalid="ignore"):
            return (numbers.astype(np.float64) * self.scale + self.offset).astype(self.dtype)

    def range_of(self, low: float, high: float) -> tuple[float, float]:
        """The closed range of stored numbers whose values lie in a closed range, both ends as the type rounds them.

        -9999.9 on a Float32 band means the stored number.
        """
        if not self.scaled:
            return self._rounded(low), self._rounded(high)
        first, last = sorted(((low - self.offset) / self.scale, (high - self.offset) / self.scale))
        return first - _ROUNDED * abs(first), last + _ROUNDED * abs(last)

    def _rounded(self, value: float) -> float:
        if self.stored != np.float32 or not math.isfinite(value):
            return value
        most = float(np.finfo(np.float32).max)
        return float(np.float32(min(max(value, -most), most)))


@dataclass(frozen=True)
class Band:
    """A band of a raster.

    number      from 1
    name        its description, else 'Band' and its number
    gdal_type   GDAL's number of the type that it gives
    storage     numpy's type, scale and offset of the numbers in the file
    nodata      the file's no-data value, in numbers as stored
    mask_flags  what tells its valid pixels, as GDAL says it
    alpha       whether it is a mask for the other bands and no data
    paletted    whether its values are classes, never interpolated
    wavelength  in nanometres; None where nothing says it
    """

    number: int
    name: str
    gdal_type: int
    storage: Storage
    nodata: Optional[float]
    mask_flags: int
    alpha: bool
    paletted: bool
    wavelength: Optional[float] = None


@dataclass(frozen=True)
class Raster:
    """One raster; made by describe().

    path          what GDAL opens
    name          how messages call it: the layer's name
    grid          its north-up grid; without a place, pixel (0, 0) lies at (0, 0) as in QGIS
    south_up      whether the first row of the file is the southernmost
    bands         all of them
    files         that hold it; of a virtual raster also those that it is made of, however deep
    lineage       where it comes from, if it is a result of ours
    classes       that its attribute table or its metadata name
    categories    whether values of a band have names
    pixel_metres  width and height of the middle pixel on the ground; (0, 0) where it is not known
    nodata        the layer's additional no-data ranges (lowest, highest), both ends included, in scaled values as the
                  layer shows them
    own_nodata    whether the no-data value of the file counts (it can be switched off in the layer's properties)
    added         more numbers that are no data, in scaled values: what the user entered, or the model remembers
    """

    path: str
    name: str
    grid: Grid
    south_up: bool
    bands: tuple[Band, ...]
    files: tuple[str, ...]
    lineage: Optional[Lineage]
    classes: tuple[ClassInfo, ...]
    categories: bool
    pixel_metres: tuple[float, float]
    nodata: tuple[tuple[float, float], ...] = ()
    own_nodata: bool = True
    added: tuple[float, ...] = ()

    @property
    def data(self) -> tuple[Band, ...]:
        """The bands that hold data."""
        return tuple(band for band in self.bands if not band.alpha)

    @property
    def band_names(self) -> tuple[str, ...]:
        """Names of the bands that hold data."""
        return tuple(band.name for band in self.data)

    @property
    def ranges(self) -> tuple[tuple[float, float], ...]:
        """All closed ranges of scaled values that are no data."""
        return (*self.nodata, *((value, value) for value in self.added))

    def with_nodata(self, values: Iterable[float]) -> Raster:
        """The same raster with more numbers that are no data."""
        return replace(self, added=tuple(sorted({*self.added, *values})))

    def scene_info(self) -> SceneInfo:
        """Its grid as messages and model files name it."""
        grid = self.grid
        shape = grid.height, grid.width
        return SceneInfo(plain_text(grid.wkt), grid.pixel_size, shape, short_name(self.name), self.pixel_metres)

    def find_bands(self, names: Sequence[str]) -> Optional[tuple[int, ...]]:
        """Numbers of the bands with these names, in this order; None where one is missing. Equal names go by order."""
        free: dict[str, list[int]] = {}
        for band in self.data:
            free.setdefault(band.name, []).append(band.number)
        try:
            return tuple(free[name].pop(0) for name in names)
        except (KeyError, IndexError):
            return None


def describe(
    path: str, name: str, nodata: tuple[tuple[float, float], ...] = (), own_nodata: bool = True, wkt: str = ""
) -> Raster:
    """What a raster is, its fields as Raster names them; `wkt` stands in place of the file's CRS.

    Raises RasterError as open_raster does.
    """
    dataset = open_raster(path, name)
    grid, south_up = _grid(dataset, wkt)
    with gdal_errors(f"The layer '{name}' cannot be read: the file may be damaged"):
        bands = tuple(_band(dataset.GetRasterBand(number), number) for number in range(1, dataset.RasterCount + 1))
        categories = any(dataset.GetRasterBand(band.number).GetCategoryNames() for band in bands)
        classes, lineage = read_class_table(dataset), read_lineage(dataset)
        files = files_of_dataset(dataset)
    return Raster(
        path, name, grid, south_up, bands, files, lineage, classes, categories, pixel_metres(grid), nodata, own_nodata
    )


def _grid(dataset: Any, wkt: str) -> tuple[Grid, bool]:
    """The north-up grid, and whether the first row is the southernmost."""
    transform = dataset.GetGeoTransform(can_return_null=True)
    placed = transform is not None and tuple(transform) != _UNPLACED
    west, wide, _, north, _, high = transform if placed else (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
    south_up = high > 0
    if south_up:
        north, high = north + dataset.RasterYSize * high, -high
    place = (west, wide, 0.0, north, 0.0, high)
    return Grid(dataset.RasterXSize, dataset.RasterYSize, place, wkt or _wkt(dataset)), south_up


def _wkt(dataset: Any) -> str:
    reference = dataset.GetSpatialRef()
    if reference is None:
        return ""
    return reference.ExportToWkt() or reference.ExportToWkt(["FORMAT=WKT2_2019"]) or ""


def _band(band: Any, number: int) -> Band:
    meaning = band.GetColorInterpretation()
    return Band(
        number,
        short_name(band.GetDescription() or "") or f"Band {number}",
        band.DataType,
        storage_of(band),
        band.GetNoDataValue(),
        band.GetMaskFlags(),
        meaning == gdal.GCI_AlphaBand,
        meaning == gdal.GCI_PaletteIndex or band.GetColorTable() is not None,
        wavelength_of(band),
    )


def storage_of(band: Any) -> Storage:
    """How an open band stores its numbers; a scale or offset that is no finite number, or 0 as a scale, is none."""
    stored = np.dtype(gdal_array.GDALTypeCodeToNumericTypeCode(band.DataType))
    if band.DataType == gdal.GDT_Byte and band.GetMetadataItem("PIXELTYPE", "IMAGE_STRUCTURE") == "SIGNEDBYTE":
        stored = np.dtype(np.int8)
    scale, offset = band.GetScale(), band.GetOffset()
    usable = scale is not None and math.isfinite(scale) and scale != 0
    return Storage(
        stored, float(scale) if usable else 1.0, float(offset) if offset is not None and math.isfinite(offset) else 0.0
    )


def check_no_result(rasters: Iterable[Raster]) -> None:
    """Raise RasterError, naming the layer, where a raster to learn from or to classify is a result of ours.

    Confidence and probabilities are refused as classes are: they repeat what some polygons taught a model, so that
    accuracy figures of what is learned from them are circular, and 'Select all' takes them in as easily.
    """
    for raster in rasters:
        if raster.lineage is not None:
            raise RasterError(
                f"The layer '{raster.name}' is {raster.lineage.words}, not an image: untick it, or leave it out."
            )


def doubts(rasters: Iterable[Raster]) -> list[str]:
    """A warning that names the rasters whose values have class names, though they are none of ours."""
    named = [raster.name for raster in rasters if raster.classes or raster.categories]
    if not named:
        return []
    text = "Values with class names seem to be codes, no measurements: if {names} shows classes, untick it."
    return [text.format(names=quoted(named))]


def check_is_class_raster(raster: Raster) -> None:
    """Raise RasterError where a raster holds no classes to assess."""
    if raster.lineage is not None and raster.lineage.kind != "classes":
        raise RasterError(f"'{raster.name}' is {raster.lineage.words}, not classes: choose the land-cover map itself.")
    if len(raster.data) != 1:
        raise RasterError(
            f"'{raster.name}' has {len(raster.data)} bands: choose a class raster, which has one band of class codes, "
            "such as a map of Classify; of another raster save the band with the classes to a file."
        )


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
