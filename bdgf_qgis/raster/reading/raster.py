"""A raster as it lies on disk and as its layer shows it: described once, by one opening, and passed on as plain values.

Matching, the choice of the reference grid, overlap, refusals and the places that no result may take go by the
description alone; a data set is opened again only where pixels are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Optional

from osgeo import gdal

from ....model.shared.infos import ClassInfo, SceneInfo
from ....model.shared.text import plain_text, short_name
from ..gdal_calls import gdal_errors
from ..grid import Grid
from ..output.class_table import read_class_table
from ..output.lineage import Lineage, read_lineage
from .opening import files_of_dataset, open_raster
from .pixel_size import pixel_metres
from .storage import Storage, storage_of

_UNPLACED = (0.0, 1.0, 0.0, 0.0, 0.0, 1.0)  # what GDAL says where a raster has no place


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
    """

    number: int
    name: str
    gdal_type: int
    storage: Storage
    nodata: Optional[float]
    mask_flags: int
    alpha: bool
    paletted: bool


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
    )
