"""GeoTIFFs that are written window by window, and put in place when whole."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Optional

import numpy as np
from osgeo import gdal, gdal_array

from ....model.shared.infos import ClassInfo
from ...files.atomic_file import AtomicFile
from ..errors import RasterError
from ..gdal_calls import gdal_errors
from ..grid import Grid, Window
from .geotiff import check_name, creation_options, disk_full_or_closed, require_whole
from .metadata import write_class_table


class OutputRaster(AtomicFile):
    """A raster in the making. Leaves nothing unless commit() or commit_together() was reached.

    Args:
        path: where it will stand; its name ends in .tif.
        grid: the common grid.
        window: the part of the grid that it holds.
        bands: number of bands.
        dtype: numpy's name of the type.
        nodata: value of what is not written, and of pixels without a result.
        descriptions: names of the bands.
        classes: of a class raster, for its attribute table.
        scale: factor from stored to real values.

    Raises FileError where the folder cannot be written to or the file in place is locked, RasterError on a full disk.
    """

    def __init__(
        self,
        path: str,
        grid: Grid,
        window: Window,
        bands: int,
        dtype: str,
        nodata: float,
        descriptions: Sequence[str] = (),
        classes: Sequence[ClassInfo] = (),
        scale: Optional[float] = None,
    ) -> None:
        self._dataset: Any = None
        check_name(path)
        super().__init__(path)
        self._window = window
        self._classes = tuple(classes)
        try:
            self._create(grid, bands, dtype, nodata, descriptions, scale)
        except BaseException:
            self.discard()
            raise

    def __enter__(self) -> OutputRaster:
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()

    def write(self, window: Window, array: np.ndarray) -> None:
        """Write values (h, w) or (C, h, w) of a window of the grid that lies inside the output.

        Raises RasterError where the disk is full.
        """
        planes = array[None] if array.ndim == 2 else array
        column, row = window.column - self._window.column, window.row - self._window.row
        with gdal_errors(self._what, strict=True) as calls:
            for number, plane in enumerate(planes, 1):
                band = self._dataset.GetRasterBand(number)
                calls.require(band.WriteArray(np.ascontiguousarray(plane), column, row) == 0)

    def close(self) -> None:
        """Finish the file under its temporary name; nothing more can be written.

        Raises RasterError where the disk is full.
        """
        if self._dataset is not None:
            with gdal_errors(self._what, strict=True):
                if self._classes:
                    write_class_table(self._dataset, self._classes)
                self._dataset.FlushCache()
                self._dataset = None
            require_whole(self.file, self._what)
        super().close()

    def discard(self) -> None:
        """Remove everything that is not in place yet."""
        if self._dataset is not None:
            with suppress(RasterError), gdal_errors(self._what):
                self._dataset = None
        super().discard()

    @property
    def _what(self) -> str:
        return disk_full_or_closed(self.path)

    def _create(
        self, grid: Grid, bands: int, dtype: str, nodata: float, descriptions: Sequence[str], scale: Optional[float]
    ) -> None:
        kind = gdal_array.NumericTypeCodeToGDALTypeCode(np.dtype(dtype))
        size = self._window.width, self._window.height
        with gdal_errors(self._what, strict=True) as calls:
            self._dataset = gdal.GetDriverByName("GTiff").Create(
                str(self.file), *size, bands, kind, creation_options(dtype)
            )
            calls.require(self._dataset)
            self._dataset.SetGeoTransform(grid.transform_of(self._window))
            if grid.wkt:
                self._dataset.SetProjection(grid.wkt)
            for number in range(1, bands + 1):
                band = self._dataset.GetRasterBand(number)
                band.SetNoDataValue(nodata)
                if number <= len(descriptions):
                    band.SetDescription(descriptions[number - 1])
                if scale is not None:
                    band.SetScale(scale)
