"""Which pixels of a raster hold data: no-data values, additional ranges, NaN, mask band and alpha band."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np
from osgeo import gdal

from .raster import Band, Raster


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
