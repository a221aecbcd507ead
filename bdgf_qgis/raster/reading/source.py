"""A raster's own pixels: their values, which of them are valid, and which bands hold any that is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Optional, Union

import numpy as np
from osgeo import gdal, gdal_array

from ...feedback import SILENT, Feedback
from ..errors import RasterError
from ..gdal_calls import GdalMessages, gdal_errors
from ..grid import Window
from .opening import open_raster
from .raster import Band, Raster

PIECE = 256  # side of the pieces in which a raster is read where it is warped, grid pixels
_PATCH = 32  # side of a sampled patch, pixels
_PATCHES = 8  # patches along a side of the window
_STRIP = 32 * 1024 * 1024  # bytes of an exact scan read at once

Pixels = tuple[np.ndarray, np.ndarray]  # values (C, h, w) and valid pixels, bool (h, w)
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
        return max(height, PIECE) * width * self.pixel_bytes if width >= self.grid.width else 0

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


@dataclass(frozen=True)
class _BandRule:
    """What is no data in one band: a value and closed ranges, in numbers as stored."""

    nodata: Optional[float]
    ranges: tuple[tuple[float, float], ...]
    own_mask: bool


class Validity:
    """The rule for some bands of a raster; a pixel is valid where all of them are.

    Args:
        raster: as it was described.
        bands: numbers of the bands, from 1.
    """

    def __init__(self, raster: Raster, bands: Sequence[int]) -> None:
        self._bands = tuple(bands)
        used = [raster.bands[number - 1] for number in bands]
        self._rules = tuple(_rule(band, raster) for band in used)
        self._alpha = next((band.number for band in raster.bands if band.alpha), 0)
        flags = used[0].mask_flags
        self._mask = bool(flags & gdal.GMF_PER_DATASET) and not flags & gdal.GMF_ALPHA

    def of(self, dataset: Any, planes: Iterable[np.ndarray], place: tuple[int, int, int, int]) -> np.ndarray:
        """Valid pixels, bool (h, w), of stored numbers, a plane (h, w) a band, read at `place`: x, y, width, height."""
        valid = self.common(dataset, place)
        for position, plane in enumerate(planes):
            self._restrict(valid, dataset, position, plane, place)
        return valid

    def of_band(self, dataset: Any, position: int, plane: np.ndarray, place: tuple[int, int, int, int]) -> np.ndarray:
        """Valid pixels, bool (h, w), of the band at `position` in the list of bands alone."""
        valid = self.common(dataset, place)
        self._restrict(valid, dataset, position, plane, place)
        return valid

    def common(self, dataset: Any, place: tuple[int, int, int, int]) -> np.ndarray:
        """What mask band and alpha band say, bool (h, w)."""
        valid = np.ones((place[3], place[2]), dtype=bool)
        if self._alpha:
            valid &= dataset.GetRasterBand(self._alpha).ReadAsArray(*place) > 0
        if self._mask:
            valid &= dataset.GetRasterBand(self._bands[0]).GetMaskBand().ReadAsArray(*place) > 0
        return valid

    def _restrict(
        self, valid: np.ndarray, dataset: Any, position: int, plane: np.ndarray, place: tuple[int, int, int, int]
    ) -> None:
        rule = self._rules[position]
        if plane.dtype.kind == "f":
            valid &= np.isfinite(plane)
        if rule.nodata is not None:
            valid &= plane != rule.nodata
        for low, high in rule.ranges:
            valid &= (plane < low) | (plane > high)
        if rule.own_mask:
            valid &= dataset.GetRasterBand(self._bands[position]).GetMaskBand().ReadAsArray(*place) > 0


def _rule(band: Band, raster: Raster) -> _BandRule:
    nodata = _stored(band.nodata, band.storage.stored) if raster.own_nodata else None
    ranges = tuple(band.storage.range_of(low, high) for low, high in raster.ranges)
    return _BandRule(nodata, ranges, band.mask_flags == 0)


def _stored(value: Optional[float], kind: np.dtype) -> Optional[float]:
    """A no-data value as the band's type holds it; None where it cannot, so that no pixel has it."""
    if value is None or value != value:
        return None  # NaN is never data
    if kind.kind == "f":
        with np.errstate(over="ignore"):
            return float(kind.type(value))
    if kind == np.int8 and 128 <= value <= 255:
        value -= 256  # written as if bytes were unsigned
    limits = np.iinfo(kind)
    return int(value) if limits.min <= value <= limits.max and value == int(value) else None


def bands_with_data(pixels: SourcePixels, window: Window, feedback: Feedback = SILENT) -> tuple[int, ...]:
    """Numbers of the bands with a valid pixel in a window of the raster's own pixels.

    Patches spread over the window settle most bands; only bands that show nothing there are read whole. Raises
    RunCancelled where `feedback` says so.
    """
    open_ones = set(range(len(pixels.bands)))
    for patch in _patches(window):
        if not open_ones:
            break
        open_ones -= pixels.bands_with_data(patch, sorted(open_ones))
    for strip in _strips(pixels, window, len(open_ones)):
        if not open_ones:
            break
        feedback.check()
        open_ones -= pixels.bands_with_data(strip, sorted(open_ones))
    return tuple(number for position, number in enumerate(pixels.bands) if position not in open_ones)


def _patches(window: Window) -> list[Window]:
    """Patches on a regular lattice, the middle ones first; a small window is one patch."""
    if window.empty:
        return []
    if window.pixels <= (_PATCH * _PATCHES) ** 2:
        return [window]
    middle = (_PATCHES - 1) / 2
    places = [(row, column) for row in range(_PATCHES) for column in range(_PATCHES)]
    places.sort(key=lambda place: (place[0] - middle) ** 2 + (place[1] - middle) ** 2)
    return [
        Window(
            window.row + int((row + 0.5) * window.height / _PATCHES) - _PATCH // 2,
            window.column + int((column + 0.5) * window.width / _PATCHES) - _PATCH // 2,
            _PATCH,
            _PATCH,
        ).intersection(window)
        for row, column in places
    ]


def _strips(pixels: SourcePixels, window: Window, bands: int) -> Iterator[Window]:
    """The window in rows of the file's own blocks, cut along its columns where a row of blocks is long."""
    if window.empty or not bands:
        return
    high, wide = pixels.block_size()
    budget = max(1, _STRIP // (bands * pixels.dtype.itemsize))
    high = max(1, min(high, window.height, budget))
    wide = max(wide, budget // high // wide * wide) if wide * high <= budget else max(1, budget // high)
    rows = range(window.row // high * high, window.row_end, high)
    columns = range(window.column // wide * wide, window.column_end, wide)
    for row in rows:
        for column in columns:
            yield Window(row, column, high, wide).intersection(window)
