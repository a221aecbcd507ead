"""The visible pixels in one scale for all bands, and how unlike two of them are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..errors import InputError
from ..shared.jobs import VisiblePixels

_SAMPLE = 100_000  # pixels from which the scale of a band is taken
_TAILS = (1.0, 99.0)  # percentiles beyond which values do not widen the scale


@dataclass(frozen=True)
class StandardPixels:
    """Bands with mean 0 and deviation 1 over the visible extent.

    rasters  per raster float32 (C, h, w)
    valid    bool (h, w)
    """

    rasters: tuple[np.ndarray, ...]
    valid: np.ndarray

    def shares(self, weights: Sequence[float]) -> list[float]:
        """What each raster counts, 1 in all. Raises InputError where weights do not fit the rasters."""
        given = list(weights) or [1.0] * len(self.rasters)
        if len(given) != len(self.rasters) or sum(given) <= 0:
            raise InputError("Each raster needs a weight, and one of them more than 0: set the weights again.")
        return [weight / sum(given) for weight in given]

    def distance(self, row: int, column: int, weights: Sequence[float]) -> np.ndarray:
        """How unlike each pixel is to one of them, float32 (h, w), in deviations; infinite where invalid.

        The root of the weighted mean over rasters of the mean squared difference over their bands.
        """
        total = np.zeros(self.valid.shape, np.float32)
        for raster, share in zip(self.rasters, self.shares(weights), strict=True):
            for band in raster if share else ():
                total += (band - band[row, column]) ** 2 * np.float32(share / len(raster))
        return np.where(self.valid, np.sqrt(total), np.float32(np.inf))

    def components(self, weights: Sequence[float], most: int) -> np.ndarray:
        """The first principal components of all bands, float32 (h, w, `most` or fewer); 0 where invalid.

        Squared differences of all of them would add up to the squared distance.
        """
        scales = [
            np.full(len(raster), (share / len(raster)) ** 0.5, np.float32)
            for raster, share in zip(self.rasters, self.shares(weights), strict=True)
        ]
        places = np.flatnonzero(self.valid)
        places = places[:: max(1, len(places) // _SAMPLE)]
        flat = [raster.reshape(len(raster), -1) for raster in self.rasters]
        sample = np.concatenate([band[:, places] * scale[:, None] for band, scale in zip(flat, scales)])
        count = min(most, len(sample))
        _, axes = np.linalg.eigh(np.cov(sample) if len(places) > 1 and len(sample) > 1 else np.eye(len(sample)))
        turn = axes[:, ::-1][:, :count].T.astype(np.float32)
        parts = np.split(turn, np.cumsum([len(raster) for raster in flat])[:-1], axis=1)
        found = sum((part * scale) @ band for part, scale, band in zip(parts, scales, flat))
        found = np.where(self.valid.reshape(-1), found, np.float32(0))
        return np.ascontiguousarray(found.T).reshape(*self.valid.shape, count)


@lru_cache(maxsize=1)
def load_pixels(visible: VisiblePixels) -> StandardPixels:
    """The pixels of some files, read once. Raises OSError or ValueError where they cannot be read."""
    valid = np.load(visible.valid)
    places = np.flatnonzero(valid)
    sample = places[:: max(1, len(places) // _SAMPLE)]
    return StandardPixels(tuple(_standard(np.load(path), sample) for path in visible.modalities), valid)


def _standard(raster: np.ndarray, sample: np.ndarray) -> np.ndarray:
    standard = np.empty(raster.shape, np.float32)
    for target, band in zip(standard, raster, strict=True):
        values = band.reshape(-1)[sample].astype(np.float64)
        if len(values):
            values = np.clip(values, *np.percentile(values, _TAILS))
        middle, deviation = (values.mean(), values.std()) if len(values) else (0.0, 1.0)
        with np.errstate(over="ignore"):
            np.subtract(band, middle, out=target, casting="same_kind")
            target /= deviation if deviation > 0 else 1.0
    return standard
