"""Rasters put together from blocks that lie in files of their own.

GDAL reads the blocks through a virtual raster, a few tiles at a time, so that memory does not hang on the size of the
scene, and the file's bytes do not hang on the order in which the blocks came into being.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, Optional
from xml.sax.saxutils import escape

import numpy as np
from osgeo import gdal, gdal_array

from ....model.shared.infos import ClassInfo
from ...feedback import SILENT, Feedback, RunCancelled
from ...files.atomic_file import AtomicFile
from ..errors import RasterError
from ..gdal_calls import GdalMessages, gdal_errors
from ..grid import Grid, Window
from .geotiff import THREADS, TILE, cloud_options, creation_options, disk_full_or_closed, require_whole
from .metadata import Lineage, write_class_table

_COPYING = 0.7  # share of the time that goes into the copy, before overviews


@dataclass(frozen=True)
class Content:
    """What a raster holds.

    dtype    numpy's name of the type
    nodata   value of pixels without a result
    names    of the bands
    classes  of a class raster: for its attribute table, and so that its overviews hold no mixture of codes
    scale    factor from stored to real values
    lineage  where it comes from
    """

    dtype: str
    nodata: float
    names: tuple[str, ...]
    classes: tuple[ClassInfo, ...] = ()
    scale: Optional[float] = None
    lineage: Optional[Lineage] = None

    @property
    def pixel_bytes(self) -> int:
        """Bytes of a pixel in all bands."""
        return len(self.names) * np.dtype(self.dtype).itemsize

    @property
    def gdal_type(self) -> int:
        """GDAL's number of the type."""
        return int(gdal_array.NumericTypeCodeToGDALTypeCode(np.dtype(self.dtype)))

    @property
    def level(self) -> int:
        """Of DEFLATE: trying harder makes codes a third smaller, but probabilities hardly at all."""
        return 6 if self.classes else 1

    @property
    def resampling(self) -> str:
        """How overviews are made: the most frequent code, or the average."""
        return "MODE" if self.classes else "AVERAGE"


@dataclass(frozen=True)
class BlockFile:
    """A block of a raster in a file of its own."""

    path: Path
    window: Window


@dataclass(frozen=True)
class Statistics:
    """Number of values, lowest and highest, their sum and the sum of their squares; 0 where there are none."""

    count: float
    lowest: float
    highest: float
    total: float
    squares: float

    @classmethod
    def of(cls, plane: np.ndarray, nodata: float) -> Statistics:
        """Of the values of an array (h, w) that are not `nodata`."""
        values = plane[plane != nodata].astype(np.float64)
        if not values.size:
            return cls(0.0, 0.0, 0.0, 0.0, 0.0)
        figures = values.size, values.min(), values.max(), values.sum(), np.square(values).sum()
        return cls(*map(float, figures))

    @classmethod
    def together(cls, parts: Iterable[Statistics]) -> Statistics:
        """Of several parts as one."""
        filled = [part for part in parts if part.count]
        if not filled:
            return cls(0.0, 0.0, 0.0, 0.0, 0.0)
        count, lowest, highest, total, squares = zip(*map(astuple, filled))
        return cls(sum(count), min(lowest), max(highest), sum(total), sum(squares))

    def items(self, pixels: int) -> dict[str, str]:
        """GDAL's metadata items of a band of that many pixels; none where there is no value."""
        if not self.count:
            return {}
        mean = self.total / self.count
        deviation = math.sqrt(max(0.0, self.squares / self.count - mean * mean))
        figures = {"MINIMUM": self.lowest, "MAXIMUM": self.highest, "MEAN": mean, "STDDEV": deviation}
        items = {f"STATISTICS_{name}": f"{value:.17g}" for name, value in figures.items()}
        return {**items, "STATISTICS_VALID_PERCENT": f"{100 * self.count / pixels:.4g}"}


def write_block_file(block: BlockFile, array: np.ndarray, content: Content) -> None:
    """Write a block's values (h, w) or (C, h, w).

    Raises RasterError where the disk is full.
    """
    bands = len(content.names)
    options = creation_options(content.dtype, bool(content.classes), level=1)
    with gdal_errors(disk_full_or_closed(block.path), strict=True) as calls:
        size = block.window.width, block.window.height
        dataset = gdal.GetDriverByName("GTiff").Create(str(block.path), *size, bands, content.gdal_type, options)
        calls.require(dataset)
        calls.require(dataset.WriteArray(np.ascontiguousarray(array)) == 0)
        dataset.FlushCache()
        del dataset
    require_whole(block.path, disk_full_or_closed(block.path))


def write_mosaic(
    file: AtomicFile,
    blocks: Sequence[BlockFile],
    content: Content,
    grid: Grid,
    window: Window,
    statistics: Sequence[Statistics] = (),
    cloud: bool = False,
    feedback: Feedback = SILENT,
) -> None:
    """Put blocks together to a GeoTIFF with overviews.

    Args:
        file: where.
        blocks: what none of them covers is nodata.
        content: of the blocks and of the raster.
        grid: the common grid.
        window: the part of the grid that the raster holds.
        statistics: one a band, or none.
        cloud: whether it is to be a Cloud Optimized GeoTIFF.
        feedback: told the share 0..1 that is done, and asked about Cancel.

    Raises RasterError where the disk is full or a block cannot be read, RunCancelled.
    """
    stopped = False

    def said(share: float) -> int:
        nonlocal stopped
        feedback.at(share)
        stopped = stopped or feedback.is_cancelled()
        return not stopped

    failure = ""
    try:
        with gdal_errors(disk_full_or_closed(file.path), strict=True) as calls:
            write = _write_cloud if cloud else _write_plain
            write(file.file, _virtual(blocks, content, grid, window, statistics), content, calls, said)
    except RasterError as error:
        failure = str(error)  # alone: the frames of the error hold data sets, and Windows deletes no open file
    if stopped:  # maybe too late for GDAL to hear
        raise RunCancelled
    if failure:
        raise RasterError(failure)
    require_whole(file.file, disk_full_or_closed(file.path))


def _write_plain(file: Path, mosaic: Any, content: Content, calls: GdalMessages, said: Callable[[float], int]) -> None:
    options = [*creation_options(content.dtype, bool(content.classes), content.level), THREADS]
    driver = gdal.GetDriverByName("GTiff")
    copy = driver.CreateCopy(str(file), mosaic, 0, options, callback=lambda share, *_: said(_COPYING * share))
    calls.require(copy)
    del copy
    levels = [
        2**power for power in range(1, 31) if max(mosaic.RasterXSize, mosaic.RasterYSize) > TILE * 2 ** (power - 1)
    ]
    if levels:
        copy = gdal.OpenEx(str(file), gdal.OF_RASTER | gdal.OF_UPDATE, open_options=_reading_threads(content))
        calls.require(copy)
        rest = 1 - _COPYING
        done = copy.BuildOverviews(content.resampling, levels, callback=lambda share, *_: said(_COPYING + rest * share))
        calls.require(done == 0)
        del copy


def _write_cloud(file: Path, mosaic: Any, content: Content, calls: GdalMessages, said: Callable[[float], int]) -> None:
    options = cloud_options(bool(content.classes), content.level, content.resampling) + _reading_threads(content)
    copy = gdal.GetDriverByName("COG").CreateCopy(str(file), mosaic, 0, options, callback=lambda share, *_: said(share))
    calls.require(copy)
    del copy


def _reading_threads(content: Content) -> list[str]:
    """Threads for a file that is read as well: GDAL 3.6 prints an error a tile then where it has several bands."""
    return [THREADS] if len(content.names) == 1 else []


def _virtual(
    blocks: Sequence[BlockFile], content: Content, grid: Grid, window: Window, statistics: Sequence[Statistics]
) -> Any:
    """The blocks as one raster, with everything that the file is to know."""
    driver = gdal.GetDriverByName("VRT")
    mosaic = driver.Create("", window.width, window.height, len(content.names), content.gdal_type)
    mosaic.SetGeoTransform(grid.transform_of(window))
    if grid.wkt:
        mosaic.SetProjection(grid.wkt)
    for number, name in enumerate(content.names, 1):
        band = mosaic.GetRasterBand(number)
        band.SetNoDataValue(content.nodata)
        band.SetDescription(name)
        if content.scale is not None:
            band.SetScale(content.scale)
        for place, block in enumerate(blocks):
            band.SetMetadataItem(f"source_{place}", _source(block, number, content, window), "new_vrt_sources")
    for number, figures in enumerate(statistics, 1):
        mosaic.GetRasterBand(number).SetMetadata(figures.items(window.pixels))
    if content.classes:
        write_class_table(mosaic, content.classes)
    for key, text in content.lineage.metadata().items() if content.lineage is not None else ():
        mosaic.SetMetadataItem(key, text)
    return mosaic


def _source(block: BlockFile, band: int, content: Content, window: Window) -> str:
    size = f'xSize="{block.window.width}" ySize="{block.window.height}"'
    column, row = block.window.column - window.column, block.window.row - window.row
    path = escape(str(block.path.absolute()))  # of a relative one GDAL would drop blanks at the beginning
    return (
        f'<SimpleSource><SourceFilename relativeToVRT="0" shared="0">{path}</SourceFilename>'
        f"<SourceBand>{band}</SourceBand>"
        f'<SourceProperties RasterXSize="{block.window.width}" RasterYSize="{block.window.height}" '
        f'DataType="{gdal.GetDataTypeName(content.gdal_type)}" BlockXSize="{TILE}" BlockYSize="{TILE}"/>'
        f'<SrcRect xOff="0" yOff="0" {size}/><DstRect xOff="{column}" yOff="{row}" {size}/></SimpleSource>'
    )
