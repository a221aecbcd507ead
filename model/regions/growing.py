"""Region growing from one pixel, for all tolerances at once.

The region of a tolerance is what can be reached from the first pixel, by steps to the four neighbours, over pixels that
are unlike it by no more than the tolerance. So a pixel joins at the least that the greatest distance on a way to it can
be, over all ways (minimax path). That is the morphological reconstruction by erosion of the distances from the first
pixel (Vincent, L., 1993: Morphological grayscale reconstruction in image analysis. IEEE Trans. Image Processing 2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import generate_binary_structure, label
from skimage.morphology import reconstruction

_LEAST, _MOST = 0.01, 20.0  # deviations: the first level, and the last
_LEVELS = 255  # in equal ratios, 3 % apart: equal values sort quickly, and a hand feels no finer step
_NEVER = 255

Place = tuple[int, int]


@dataclass(frozen=True)
class Tolerances:
    """At which tolerance pixels join: float32 (h, w), infinite where never, of a rectangle from `row`, `column` on."""

    values: np.ndarray
    row: int
    column: int


def grow_region(distance: np.ndarray, seed: Place, largest: int) -> Tolerances:
    """The tolerances at which pixels join the region of the pixel `seed` (row, column).

    distance  float32 (h, w) from that pixel, infinite where there is none
    largest   pixels that the region may have
    """
    level = _levels(distance)
    top, box = _top_level(level, seed, largest)
    level = level[box]
    inside = seed[0] - box[0].start, seed[1] - box[1].start
    region = _component(level <= top, inside)
    if np.count_nonzero(region) > largest:
        region = _nearest(region, inside, largest)
    rows, columns = (_span(region.any(axis)) for axis in (1, 0))
    region, level = region[rows, columns], level[rows, columns]
    first = inside[0] - rows.start, inside[1] - columns.start
    walls = np.where(region, level, _NEVER).astype(np.float32)
    start = np.full_like(walls, _NEVER)
    start[first] = walls[first]
    joined = reconstruction(start, walls, method="erosion", footprint=generate_binary_structure(2, 1))
    values = (_LEAST * (_MOST / _LEAST) ** (joined / (_LEVELS - 1))).astype(np.float32)
    values[~region] = np.inf
    return Tolerances(values, box[0].start + rows.start, box[1].start + columns.start)


def _levels(distance: np.ndarray) -> np.ndarray:
    """The first level at which each pixel could join, uint8 (h, w)."""
    with np.errstate(divide="ignore"):
        level = np.log(distance / np.float32(_LEAST)) * np.float32((_LEVELS - 1) / np.log(_MOST / _LEAST))
    return np.clip(np.ceil(level), 0, _NEVER).astype(np.uint8)


def _top_level(level: np.ndarray, seed: Place, largest: int) -> tuple[int, tuple[slice, slice]]:
    """The highest level at which the region is not too large, or 0, and a rectangle that holds it."""
    box = slice(0, level.shape[0]), slice(0, level.shape[1])
    low, high = 0, _LEVELS  # the region of `high` is too large, or there is no such level
    while high - low > 1:
        middle = (low + high) // 2
        region = _component(level[box] <= middle, (seed[0] - box[0].start, seed[1] - box[1].start))
        if np.count_nonzero(region) <= largest:
            low = middle
        else:
            high = middle
            rows, columns = (_span(region.any(axis)) for axis in (1, 0))
            box = _moved(rows, box[0].start), _moved(columns, box[1].start)
    return low, box


def _component(mask: np.ndarray, seed: Place) -> np.ndarray:
    numbers, _ = label(mask)
    found: np.ndarray = numbers == numbers[seed]
    return found


def _nearest(region: np.ndarray, seed: Place, largest: int) -> np.ndarray:
    """Of a region of equal pixels that is too large, the part around the first pixel."""
    rows, columns = np.nonzero(region)
    away = (rows - seed[0]) ** 2 + (columns - seed[1]) ** 2
    near = np.argpartition(away, largest - 1)[:largest]
    kept = np.zeros_like(region)
    kept[rows[near], columns[near]] = True
    kept[seed] = True
    return _component(kept, seed)


def _span(line: np.ndarray) -> slice:
    places = np.flatnonzero(line)
    return slice(int(places[0]), int(places[-1]) + 1)


def _moved(span: slice, distance: int) -> slice:
    return slice(span.start + distance, span.stop + distance)
