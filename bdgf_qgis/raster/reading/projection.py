"""Where the pixels of one grid lie in another, across coordinate reference systems."""

from __future__ import annotations

import math
from typing import Any, Optional

import numpy as np

from ..gdal_calls import gdal_errors
from ..grid import Grid, Window
from .longitudes import near, turn_of
from .reference import transformation

_ALIGNED = 0.01  # pixels that two grids may differ by and still count as one
_LATTICE = 40  # steps along a side where a curved outline is followed


class GridMapping:
    """Pixel coordinates of a raster's own grid against those of the common grid.

    Pixel coordinates are (N, 2) of column and row, (0, 0) at the corner of the first pixel, (0.5, 0.5) at its centre.

    Longitudes that a transformation gives are counted on across the date line: towards the middle of the grid that they
    are for, or, between two geographic grids, as they were.

    Args:
        own: the raster's grid.
        grid: the common grid.
        name: the raster's name, for messages.
    """

    def __init__(self, own: Grid, grid: Grid, name: str) -> None:
        what = f"The layer '{name}' cannot be warped to the common grid"
        self.own = own
        self.grid = grid
        self.what = what
        self._forward = transformation(own.wkt, grid.wkt, what)
        self._backward = transformation(grid.wkt, own.wkt, what) if self._forward is not None else None

    def to_grid(self, points: np.ndarray) -> np.ndarray:
        """Common pixel coordinates of own ones; NaN where the CRS has no answer."""
        return self._across(self._forward, points, self.own, self.grid)

    def to_own(self, points: np.ndarray) -> np.ndarray:
        """Own pixel coordinates of common ones; NaN where the CRS has no answer."""
        return self._across(self._backward, points, self.grid, self.own)

    def _across(self, found: Any, points: np.ndarray, here: Grid, there: Grid) -> np.ndarray:
        before = _to_map(points, here)
        after = self._project(found, before)
        turn = turn_of(there.wkt) if found is not None else 0.0
        if turn:
            own = turn_of(here.wkt)
            wanted = before[:, 0] * turn / own if own else (there.extent[0] + there.extent[2]) / 2
            after[:, 0] = near(after[:, 0], wanted, turn)
        return _to_pixels(after, there)

    def _project(self, found: Any, points: np.ndarray) -> np.ndarray:
        if found is None:
            return points
        with gdal_errors(self.what):
            result = np.array(found.TransformPoints(points.tolist()), dtype=float)[:, :2]
        result[~np.isfinite(result).all(axis=1)] = np.nan
        return result

    def offset(self) -> Optional[tuple[int, int]]:
        """Row and column in the common grid of the raster's first pixel, where both grids share their pixels."""
        points = _lattice(self.own.window, 4)
        shift = self.to_grid(points) - points
        if not np.isfinite(shift).all():
            return None
        whole = np.round(shift.mean(axis=0))
        if np.abs(shift - whole).max() > _ALIGNED:
            return None
        return int(whole[1]), int(whole[0])

    def footprint(self) -> Window:
        """A window of the common grid that holds every pixel the raster can give; empty without overlap."""
        if self._forward is None:
            (left, top), (right, bottom) = self.to_grid(np.array([[0, 0], [self.own.width, self.own.height]]))
            first_row, first_column = math.ceil(top - 0.5), math.ceil(left - 0.5)
            height, width = math.ceil(bottom - 0.5) - first_row, math.ceil(right - 0.5) - first_column
            return Window(first_row, first_column, height, width).intersection(self.grid.window)
        seen = self.to_grid(_lattice(self.own.window, _LATTICE))
        inside = _inside(seen, self.grid)
        back = self.to_own(seen[inside]) if inside.any() else seen[inside]
        inside[inside] = _inside(back, self.own, 1.0)
        box = _bounds(seen[inside])
        points = _lattice(self.grid.window, _LATTICE)
        reached = _inside(self.to_own(points), self.own)
        step = max(self.grid.width, self.grid.height) / _LATTICE
        found = _bounds(points[reached])
        if not found.empty:
            found = found.expand(math.ceil(step))
        if not box.empty:
            box = box.expand(2 + math.ceil(max(box.height, box.width) / _LATTICE))
        return box.union(found).intersection(self.grid.window)

    def own_window(self, window: Window) -> Window:
        """The raster's own pixels that a window of the common grid needs, with room for interpolation; maybe empty."""
        seen = self.to_own(_lattice(window, 16 if self._forward is not None else 1))
        seen = seen[np.isfinite(seen).all(axis=1)]
        box = _bounds(seen)
        if box.empty:
            return box
        scale = max(1.0, box.height / window.height, box.width / window.width)
        curve = 0 if self._forward is None else math.ceil(max(box.height, box.width) / 64)
        return box.expand(2 + math.ceil(2 * scale) + curve).intersection(self.own.window)


def _lattice(window: Window, steps: int) -> np.ndarray:
    columns = np.linspace(window.column, window.column_end, steps + 1)
    rows = np.linspace(window.row, window.row_end, steps + 1)
    return np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)


def _inside(points: np.ndarray, grid: Grid, margin: float = 0.0) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        low, high = points >= -margin, points <= np.array([grid.width, grid.height]) + margin
    result: np.ndarray = (low & high).all(axis=1)
    return result


def _bounds(points: np.ndarray) -> Window:
    if not len(points):
        return Window(0, 0, 0, 0)
    left, top = np.floor(points.min(axis=0)).tolist()
    right, bottom = np.ceil(points.max(axis=0)).tolist()
    return Window(int(top), int(left), max(1, int(bottom - top)), max(1, int(right - left)))


def _to_map(points: np.ndarray, grid: Grid) -> np.ndarray:
    west, wide, _, north, _, high = grid.transform
    return points * np.array([wide, high]) + np.array([west, north])


def _to_pixels(points: np.ndarray, grid: Grid) -> np.ndarray:
    west, wide, _, north, _, high = grid.transform
    return (points - np.array([west, north])) / np.array([wide, high])
