"""One raster on the common grid: read as it is where the grids share their pixels, else warped piece by piece.

Pieces of the warp are cut along fixed multiples of the common grid, so that a pixel's value never hangs on the window
that asks for it. What is no data takes no part in interpolation: a warped pixel is valid where at least half of the
weight of its neighbourhood is.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import reduce
from typing import Any, Optional, Union

import numpy as np
from osgeo import gdal, gdal_array

from ..errors import RasterError
from ..gdal_calls import GdalMessages, gdal_errors
from ..grid import Grid, Window
from .opening import open_raster
from .projection import GridMapping
from .raster import Raster
from .validity import Validity

_PIECE = 256  # side of a warped piece, grid pixels
_SMALLEST = 8  # side below which a piece is not cut further
_INPUT = 64 * 1024 * 1024  # bytes that a piece may need of the raster
_CACHE = 96 * 1024 * 1024  # bytes of warped pieces that are kept
_ERROR = 0.01  # pixels of the raster that the warp may be off
_HALF = 128  # alpha from which a warped pixel is valid

Pixels = tuple[np.ndarray, np.ndarray]
Planes = Union[np.ndarray, list[np.ndarray]]  # (C, h, w), or arrays (h, w) of several types


class SourcePixels:
    """Some bands of a raster in its own pixels, north up.

    Args:
        raster: the raster; a data set of its own is opened.
        bands: numbers from 1.

    Raises RasterError where it cannot be opened, or is another one than was described.
    """

    def __init__(self, raster: Raster, bands: Sequence[int]) -> None:
        self.grid = raster.grid
        self._raster = raster
        self._what = f"The layer '{raster.name}' cannot be read: the file may be damaged or gone"
        self._dataset = open_raster(raster.path, raster.name)
        shape = self._dataset.RasterXSize, self._dataset.RasterYSize, self._dataset.RasterCount
        if shape != (raster.grid.width, raster.grid.height, len(raster.bands)):
            raise RasterError(f"The layer '{raster.name}' has changed since it was looked at: start again.")
        self.use(bands)

    def use(self, bands: Sequence[int]) -> None:
        """Read these bands from now on."""
        self.bands = tuple(bands)
        used = [self._raster.bands[number - 1] for number in self.bands]
        self._storages = tuple(band.storage for band in used)
        self._type = reduce(gdal.DataTypeUnion, (band.gdal_type for band in used))
        self._plain = not any(storage.scaled or storage.signed_byte for storage in self._storages)
        self._alike = len({storage.stored for storage in self._storages}) == 1
        union = gdal_array.GDALTypeCodeToNumericTypeCode(self._type)
        self.dtype = np.dtype(union) if self._plain else np.result_type(*(each.dtype for each in self._storages))
        self.paletted = any(band.paletted for band in used)
        self._validity = Validity(self._raster, self.bands)

    @property
    def pixel_bytes(self) -> int:
        """Bytes of one pixel in all bands."""
        return len(self.bands) * self.dtype.itemsize

    def read(self, window: Window) -> Pixels:
        """Values (C, h, w) and valid pixels (h, w) of a window inside the raster.

        Raises RasterError where the file cannot be read.
        """
        place = self._place(window)
        with gdal_errors(self._what) as calls:
            planes = self._stored(place, range(len(self.bands)), calls)
            valid = self._validity.of(self._dataset, planes, place)
            array = planes if isinstance(planes, np.ndarray) and self._plain else self._values(planes)
        return (array[:, ::-1], valid[::-1]) if self._raster.south_up else (array, valid)

    def bands_with_data(self, window: Window, positions: Sequence[int]) -> set[int]:
        """Which of the bands at `positions` hold a valid pixel in a window inside the raster."""
        place = self._place(window)
        found = set()
        with gdal_errors(self._what) as calls:
            for position, plane in zip(positions, self._stored(place, positions, calls)):
                if self._validity.of_band(self._dataset, position, plane, place).any():
                    found.add(position)
        return found

    def _stored(self, place: tuple[int, int, int, int], positions: Sequence[int], calls: GdalMessages) -> Planes:
        """Stored numbers, a plane (h, w) for each of the bands at `positions`."""
        numbers = [self.bands[each] for each in positions]
        if self._plain or self._alike:
            array = self._dataset.ReadAsArray(*place, buf_type=self._type, band_list=numbers)
            calls.require(array)
            whole: np.ndarray = self._storages[0].numbers(array).reshape(len(numbers), place[3], place[2])
            return whole
        planes = []
        for position, number in zip(positions, numbers):
            plane = self._dataset.GetRasterBand(number).ReadAsArray(*place)
            calls.require(plane)
            planes.append(self._storages[position].numbers(plane))
        return planes

    def _values(self, planes: Planes) -> np.ndarray:
        """Values (C, h, w) of all bands from their stored numbers."""
        array = np.empty((len(planes), *planes[0].shape), self.dtype)
        for target, plane, storage in zip(array, planes, self._storages):
            target[...] = storage.values(plane)
        return array

    def block_size(self) -> tuple[int, int]:
        """Rows and columns of the file's own blocks."""
        width, height = self._dataset.GetRasterBand(self.bands[0]).GetBlockSize()
        return height, width

    @property
    def strip_bytes(self) -> int:
        """What GDAL has to keep while parts beside each other are read of a raster that is stored in strips."""
        height, width = self.block_size()
        return max(height, _PIECE) * width * self.pixel_bytes if width >= self.grid.width else 0

    def forget_all(self) -> None:
        """Give back GDAL's copy of everything that was read."""
        self._dataset.FlushCache()

    def forget_blocks(self) -> None:
        """Give back GDAL's copy of the blocks that were read, where they are tiles: another part comes next.

        Strips across the whole raster are kept, since the next part lies beside this one.
        """
        if self.block_size()[1] < self.grid.width:
            self._dataset.FlushCache()

    def close(self) -> None:
        """Let go of the file."""
        self._dataset = None

    def _place(self, window: Window) -> tuple[int, int, int, int]:
        row = self.grid.height - window.row_end if self._raster.south_up else window.row
        return window.column, row, window.width, window.height


class DirectReader:
    """A raster whose pixels are pixels of the common grid, its first one at row and column `offset`."""

    warped = False

    def __init__(self, pixels: SourcePixels, offset: tuple[int, int]) -> None:
        self.pixels = pixels
        self._row, self._column = offset

    def read(self, window: Window) -> Pixels:
        """Values (C, h, w) and valid pixels (h, w) of a window of the common grid; 0 and invalid off the raster."""
        own = Window(window.row - self._row, window.column - self._column, window.height, window.width)
        inside = own.intersection(self.pixels.grid.window)
        if inside == own:
            return self.pixels.read(own)
        array = np.zeros((len(self.pixels.bands), window.height, window.width), self.pixels.dtype)
        valid = np.zeros((window.height, window.width), bool)
        if not inside.empty:
            rows, columns = inside.slices_in(own)
            array[:, rows, columns], valid[rows, columns] = self.pixels.read(inside)
        return array, valid

    def own_window(self, window: Window) -> Window:
        """The raster's own pixels behind a window of the common grid."""
        moved = Window(window.row - self._row, window.column - self._column, window.height, window.width)
        return moved.intersection(self.pixels.grid.window)


class WarpedReader:
    """A raster on a grid of its own, warped to the common grid: bilinear, or nearest for a paletted one."""

    warped = True

    def __init__(self, pixels: SourcePixels, mapping: GridMapping) -> None:
        self.pixels = pixels
        self._grid = mapping.grid
        self._mapping = mapping
        self._pieces: OrderedDict[tuple[int, int], Optional[Pixels]] = OrderedDict()
        self._kept = 0

    def read(self, window: Window) -> Pixels:
        """Values (C, h, w) and valid pixels (h, w) of a window of the common grid; 0 and invalid off the raster."""
        array = np.zeros((len(self.pixels.bands), window.height, window.width), self.pixels.dtype)
        valid = np.zeros((window.height, window.width), bool)
        for part in window.intersection(self._grid.window).cells(_PIECE):
            place = part.row // _PIECE, part.column // _PIECE
            piece = self._piece(*place)
            if piece is not None:
                rows, columns = part.slices_in(window)
                inner = part.slices_in(Window(place[0] * _PIECE, place[1] * _PIECE, _PIECE, _PIECE))
                array[:, rows, columns] = piece[0][(slice(None), *inner)]
                valid[rows, columns] = piece[1][inner]
        return array, valid

    def own_window(self, window: Window) -> Window:
        """The raster's own pixels behind a window of the common grid."""
        return self._mapping.own_window(window)

    def _piece(self, row: int, column: int) -> Optional[Pixels]:
        key = (row, column)
        if key in self._pieces:
            self._pieces.move_to_end(key)
            return self._pieces[key]
        piece = self._pieces[key] = self._warp(Window(row * _PIECE, column * _PIECE, _PIECE, _PIECE))
        self._kept += _size(piece)
        while self._kept > _CACHE and len(self._pieces) > 1:
            self._kept -= _size(self._pieces.popitem(last=False)[1])
        return piece

    def _warp(self, window: Window) -> Optional[Pixels]:
        if window.intersection(self._grid.window).empty:
            return None
        own = self._mapping.own_window(window)
        if own.empty:
            return None
        if own.pixels * (self.pixels.pixel_bytes + 2) > _INPUT and window.height > _SMALLEST:
            return self._warp_in_quarters(window)
        array, valid = self.pixels.read(own)
        if not valid.any():
            return None
        signed_byte = self.pixels.dtype == np.int8  # GDAL below 3.7 would warp it as if unsigned
        kind = gdal.GDT_Int16 if signed_byte else gdal_array.NumericTypeCodeToGDALTypeCode(self.pixels.dtype)
        with gdal_errors(self._mapping.what) as calls:
            origin = _memory_raster(len(array), own, kind, self._mapping.own)
            target = _memory_raster(len(array), window, kind, self._grid)
            for number, plane in enumerate(array, 1):
                filled = np.where(valid, plane, 0).astype(np.int16 if signed_byte else plane.dtype, copy=False)
                origin.GetRasterBand(number).WriteArray(filled)
            origin.GetRasterBand(len(array) + 1).WriteArray(valid.astype(np.uint8) * 255)
            method = gdal.GRA_NearestNeighbour if self.pixels.paletted else gdal.GRA_Bilinear
            options = gdal.WarpOptions(resampleAlg=method, srcAlpha=True, dstAlpha=True, errorThreshold=_ERROR)
            calls.require(gdal.Warp(target, origin, options=options))
            values = target.ReadAsArray(buf_type=kind, band_list=list(range(1, len(array) + 1)))
            alpha = target.GetRasterBand(len(array) + 1).ReadAsArray()
            calls.require(values)
        values = values.reshape(len(array), window.height, window.width).astype(self.pixels.dtype, copy=False)
        return values, alpha >= _HALF

    def _warp_in_quarters(self, window: Window) -> Optional[Pixels]:
        parts = [(each, self._warp(each)) for each in window.cells(window.height // 2)]
        if all(piece is None for _, piece in parts):
            return None
        array = np.zeros((len(self.pixels.bands), window.height, window.width), self.pixels.dtype)
        valid = np.zeros((window.height, window.width), bool)
        for part, piece in parts:
            if piece is not None:
                rows, columns = part.slices_in(window)
                array[:, rows, columns], valid[rows, columns] = piece
        return array, valid


class TurnedReader:
    """A raster that reaches the common grid at several turns of longitude: of each pixel the first that is valid.

    The readers share their pixels.
    """

    def __init__(self, readers: Sequence[Union[DirectReader, WarpedReader]]) -> None:
        self.pixels = readers[0].pixels
        self.warped = any(each.warped for each in readers)
        self._readers = tuple(readers)

    def read(self, window: Window) -> Pixels:
        """Values (C, h, w) and valid pixels (h, w) of a window of the common grid; 0 and invalid off the raster."""
        array, valid = self._readers[0].read(window)
        for reader in self._readers[1:]:
            if valid.all():
                break
            others, inside = reader.read(window)
            array = np.where(valid, array, others)
            valid = valid | inside
        return array, valid

    def own_window(self, window: Window) -> Window:
        """The raster's own pixels behind a window of the common grid."""
        found = Window(0, 0, 0, 0)
        for reader in self._readers:
            found = found.union(reader.own_window(window))
        return found


def _size(piece: Optional[Pixels]) -> int:
    return 64 if piece is None else piece[0].nbytes + piece[1].nbytes


def _memory_raster(bands: int, window: Window, kind: int, grid: Grid) -> Any:
    """A raster in memory for a window of a grid, with an alpha band as its last."""
    dataset = gdal.GetDriverByName("MEM").Create("", window.width, window.height, bands, kind)
    dataset.AddBand(gdal.GDT_Byte)
    dataset.GetRasterBand(bands + 1).SetColorInterpretation(gdal.GCI_AlphaBand)
    dataset.SetGeoTransform(grid.transform_of(window))
    if grid.wkt:
        dataset.SetProjection(grid.wkt)
    return dataset
