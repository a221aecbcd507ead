"""GeoTIFFs: how they are stored, and whether one is whole: its tiles lie inside the file and can be decoded.

On a full disk GDAL 3.10 may build overviews, flush and close without a word, and the last tile is missing. So this
looks at the file itself (TIFF 6.0 and BigTIFF): tables and tiles of all levels, and the last tile of each is read back.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
from osgeo import gdal

from ..errors import RasterError
from ..gdal_calls import gdal_errors

TILE = 256  # side, pixels
THREADS = "NUM_THREADS=ALL_CPUS"
_SUFFIXES = (".tif", ".tiff")
_BIG = "BIGTIFF=IF_SAFER"  # of 4 GiB or more
_NUMBERS = {3: "u2", 4: "u4", 13: "u4", 16: "u8", 18: "u8"}  # types of offsets and byte counts
_STRIPS, _TILES, _SUB_LEVELS = (273, 279), (324, 325), 330  # tags: offsets and byte counts; offsets of further tables


def check_name(path: str) -> None:
    """Raise RasterError where a path does not end as a GeoTIFF's name does."""
    if Path(path).suffix.lower() not in _SUFFIXES:
        raise RasterError(f"{path} cannot be written: choose a file name that ends in .tif.")


def creation_options(dtype: str, codes: bool = False, level: int = 6) -> list[str]:
    """GDAL's options for a tiled, compressed GeoTIFF.

    Args:
        dtype: numpy's name of the type.
        codes: whether values are codes, whose differences mean nothing: other numbers compress better as differences.
        level: of DEFLATE, 1 to 9.
    """
    tiles = ["TILED=YES", f"BLOCKXSIZE={TILE}", f"BLOCKYSIZE={TILE}", "INTERLEAVE=BAND", _BIG]
    predictor = 1 if codes else 3 if np.dtype(dtype).kind == "f" else 2
    return [*tiles, "COMPRESS=DEFLATE", f"PREDICTOR={predictor}", f"ZLEVEL={level}"]


def cloud_options(codes: bool, level: int, resampling: str) -> list[str]:
    """The same for a Cloud Optimized GeoTIFF, whose overviews GDAL makes by `resampling`."""
    predictor = "NO" if codes else "YES"
    predictors = [f"PREDICTOR={predictor}", f"OVERVIEW_PREDICTOR={predictor}"]
    options = [f"BLOCKSIZE={TILE}", _BIG, "COMPRESS=DEFLATE", f"LEVEL={level}", *predictors]
    return [*options, f"OVERVIEW_RESAMPLING={resampling}"]


def disk_full_or_closed(path: Path) -> str:
    """What is said where GDAL cannot write a raster."""
    return f"{path} cannot be written: the disk may be full, or the folder closed to you"


def require_whole(file: Path, what: str) -> None:
    """Raise RasterError, beginning with `what`, where a closed GeoTIFF was cut short."""
    try:
        with open(file, "rb") as opened:
            missing = _Tables(opened).missing()
    except (OSError, ValueError, struct.error) as error:
        raise RasterError(f"{what} (the file was not written whole: {error}).") from error
    if missing:
        raise RasterError(f"{what} (the file was not written whole: {missing} of its tiles are missing).")
    _read_last_tiles(file, what)


class _Tables:
    """The tables (image file directories) of a TIFF file, one a level."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = os.fstat(file.fileno()).st_size
        self._order = "<" if self._at(0, 2) == b"II" else ">"
        self._big = self._numbers(self._at(2, 2), "u2")[0] == 43
        self._word = "u8" if self._big else "u4"

    def missing(self) -> int:
        """The number of tiles that do not lie inside the file. Raises ValueError where a table does not."""
        width = 8 if self._big else 4
        waiting = [int(self._numbers(self._at(8 if self._big else 4, width), self._word)[0])]
        seen: set[int] = set()
        missing = 0
        while waiting:
            place = waiting.pop()
            if place == 0 or place in seen:
                continue
            seen.add(place)
            tags, following = self._table(place)
            waiting += [following, *(int(each) for each in tags.get(_SUB_LEVELS, ()))]
            for offsets, counts in (_STRIPS, _TILES):
                if offsets in tags:
                    starts, sizes = tags[offsets].astype(np.float64), tags[counts].astype(np.float64)
                    missing += int((starts + sizes > self._size).sum())
        return missing

    def _table(self, place: int) -> tuple[dict[int, np.ndarray], int]:
        """The tags that matter here, by number, and the place of the next table (0: none)."""
        head, entry, width = (8, 20, 8) if self._big else (2, 12, 4)
        count = int(self._numbers(self._at(place, head), f"u{head}")[0])
        raw = self._at(place + head, count * entry + width)
        tags = {}
        for number in range(count):
            field = raw[number * entry : (number + 1) * entry]
            tag, kind = (int(each) for each in self._numbers(field[:4], "u2"))
            if tag in (*_STRIPS, *_TILES, _SUB_LEVELS):
                if kind not in _NUMBERS:
                    raise ValueError(f"its table at {place:,} is damaged")
                length = int(self._numbers(field[4 : 4 + width], self._word)[0]) * np.dtype(_NUMBERS[kind]).itemsize
                held = field[-width:]
                if length > width:
                    held = self._at(int(self._numbers(held, self._word)[0]), length)
                tags[tag] = self._numbers(held[:length], _NUMBERS[kind])
        return tags, int(self._numbers(raw[-width:], self._word)[0])

    def _at(self, place: int, length: int) -> bytes:
        if place + length > self._size:
            raise ValueError(f"it ends at byte {self._size:,}, and a table lies at {place:,}")
        self._file.seek(place)
        return self._file.read(length)

    def _numbers(self, raw: bytes, kind: str) -> np.ndarray:
        return np.frombuffer(raw, np.dtype(self._order + kind))


def _read_last_tiles(file: Path, what: str) -> None:
    """Decode the last tile of each band at each level."""
    with gdal_errors(f"{what}, and what was written cannot be read back", strict=True) as calls:
        dataset = gdal.OpenEx(str(file), gdal.OF_RASTER | gdal.OF_READONLY, allowed_drivers=["GTiff"])
        calls.require(dataset)
        for number in range(1, dataset.RasterCount + 1):
            band = dataset.GetRasterBand(number)
            for level in [band, *(band.GetOverview(each) for each in range(band.GetOverviewCount()))]:
                wide, high = level.GetBlockSize()
                column, row = (level.XSize - 1) // wide * wide, (level.YSize - 1) // high * high
                calls.require(level.ReadRaster(column, row, level.XSize - column, level.YSize - row))
        del level, band, dataset
