"""On what the polygons agree that claim a pixel: a pixel claimed by two classes belongs to none."""

from __future__ import annotations

import numpy as np

from ..grid import Window
from .rasterise import PolygonRaster, as_pixels, changes_along_rows

NOBODY, DISPUTED = -1, -2


def agreed(polygons: PolygonRaster, window: Window, values: np.ndarray) -> np.ndarray:
    """The value on which all polygons agree that claim a pixel, int64 (h, w); NOBODY claims it, or it is DISPUTED.

    Takes the number of polygons at each pixel, the sum and the sum of squares of their values: all are alike where
    the squares sum up to no more than that of their mean, however many polygons there are.

    Args:
        polygons: the polygons.
        window: the pixels.
        values: whole numbers (n,) from 0, of each polygon.
    """
    count, total, squares = np.zeros((3, window.height * (window.width + 1)))
    for runs in polygons.runs(window):
        own = values[runs.polygon].astype(float)
        count += changes_along_rows(runs, window)
        total += changes_along_rows(runs, window, own)
        squares += changes_along_rows(runs, window, own**2)
    count, total, squares = (as_pixels(each, window).astype(np.int64) for each in (count, total, squares))
    claimed = np.maximum(count, 1)
    value = total // claimed
    alike = (value * count == total) & (value**2 * count == squares)
    result: np.ndarray = np.where(count == 0, NOBODY, np.where(alike, value, DISPUTED))
    return result


def claimants(polygons: PolygonRaster, window: Window, pixels: np.ndarray, some: np.ndarray) -> np.ndarray:
    """Which polygons of a mask (n,) claim any of the pixels, bool (h, w), of a window: bool (n,)."""
    before = np.zeros((window.height, window.width + 1), np.int64)
    np.cumsum(pixels, axis=1, out=before[:, 1:])
    found = np.zeros(len(some), bool)
    for runs in polygons.runs(window, some):
        hit = before[runs.row, runs.end] > before[runs.row, runs.first]
        found[runs.polygon[hit]] = True
    return found
