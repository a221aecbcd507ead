"""How a band stores its numbers, and the values that they stand for.

The one place that says a band's true type: GDAL below 3.7 has no type for signed bytes and calls them Byte, and a band
may hold whole numbers that scale and offset turn into physical values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from osgeo import gdal, gdal_array

_ROUNDED = 1e-6  # how far a number that was scaled may be off, as a share of it


@dataclass(frozen=True)
class Storage:
    """A band's way to store numbers.

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
