"""One raster on the common grid: read as it is where the grids share their pixels, else warped piece by piece.

Pieces of the warp are cut along fixed multiples of the common grid, so that a pixel's value never hangs on the window
that asks for it. What is no data takes no part in interpolation: a warped pixel is valid where at least half of the
weight of its neighbourhood is.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Optional, Union

import numpy as np
from osgeo import gdal, gdal_array

from ..gdal_calls import gdal_errors
from ..grid import Grid, Window
from .projection import GridMapping
from .source import PIECE, Pixels, SourcePixels

_SMALLEST = 8  # side below which a piece is not cut further
_INPUT = 64 * 1024 * 1024  # bytes that a piece may need of the raster
_CACHE = 96 * 1024 * 1024  # bytes of warped pieces that are kept
_ERROR = 0.01  # pixels of the raster that the warp may be off
_HALF = 128  # alpha from which a warped pixel is valid


def reader_of(pixels: SourcePixels, mappings: Sequence[GridMapping]) -> Reader:
    """A raster's pixels on the common grid, in which they lie as `mappings` say, one or more."""
    readers: list[Union[DirectReader, WarpedReader]] = []
    for mapping in mappings:
        offset = mapping.offset()
        readers.append(WarpedReader(pixels, mapping) if offset is None else DirectReader(pixels, offset))
    return readers[0] if len(readers) == 1 else TurnedReader(readers)


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
        self._kernel = _kernel_of(mapping)

    def read(self, window: Window) -> Pixels:
        """Values (C, h, w) and valid pixels (h, w) of a window of the common grid; 0 and invalid off the raster."""
        array = np.zeros((len(self.pixels.bands), window.height, window.width), self.pixels.dtype)
        valid = np.zeros((window.height, window.width), bool)
        for part in window.intersection(self._grid.window).cells(PIECE):
            place = part.row // PIECE, part.column // PIECE
            piece = self._piece(*place)
            if piece is not None:
                rows, columns = part.slices_in(window)
                inner = part.slices_in(Window(place[0] * PIECE, place[1] * PIECE, PIECE, PIECE))
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
        piece = self._pieces[key] = self._warp(Window(row * PIECE, column * PIECE, PIECE, PIECE))
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
            options = gdal.WarpOptions(
                resampleAlg=method, srcAlpha=True, dstAlpha=True, errorThreshold=_ERROR, warpOptions=self._kernel
            )
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
        self.warped = any(reader.warped for reader in readers)
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


Reader = Union[DirectReader, WarpedReader, TurnedReader]


def _kernel_of(mapping: GridMapping) -> list[str]:
    """Options that make the kernel of a finer raster as wide as a common pixel.

    GDAL itself goes by the windows of a piece, which the edges of both grids cut off, and takes another kernel there.
    """
    wide, high = mapping.pixels_of_grid()
    return [f"XSCALE={min(wide, 1.0):.9g}", f"YSCALE={min(high, 1.0):.9g}"]


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
