"""Where places lie in another coordinate reference system, also across the date line, and pixels in another grid."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Optional

import numpy as np
from osgeo import osr

from ..gdal_calls import gdal_errors
from ..grid import Grid, Window

_ALIGNED = 0.01  # pixels that two grids may differ by and still count as one
_LATTICE = 40  # steps along a side where a curved outline is followed


def reference_of(wkt: str, what: str) -> Any:
    """The CRS of a WKT text with x before y.

    Raises RasterError, beginning with `what`, where it cannot be understood.
    """
    with gdal_errors(what) as calls:
        reference = osr.SpatialReference()
        calls.require(reference.ImportFromWkt(wkt) == 0)
        reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    return reference


def transformation(wkt_from: str, wkt_to: str, what: str) -> Any:
    """The osr transformation between two CRSs; None where they are the same or one is unknown ('').

    Raises RasterError, beginning with `what`, where PROJ knows none.
    """
    if not wkt_from or not wkt_to or wkt_from == wkt_to:
        return None
    first, second = reference_of(wkt_from, what), reference_of(wkt_to, what)
    with gdal_errors(what) as calls:
        if first.IsSame(second, ["IGNORE_DATA_AXIS_TO_SRS_AXIS_MAPPING=YES", "CRITERION=EQUIVALENT"]):
            return None
        found = osr.CoordinateTransformation(first, second)
        calls.require(found is not None and getattr(found, "this", None) is not None)
    return found


@lru_cache(maxsize=256)
def turn_of(wkt: str) -> float:
    """A full turn in the units of a geographic CRS, 360 where they are degrees; 0 for any other and for ''.

    Raises RasterError where the CRS cannot be understood.
    """
    if not wkt:
        return 0.0
    reference = reference_of(wkt, "A coordinate reference system cannot be understood")
    return 2 * math.pi / float(reference.GetAngularUnits()) if reference.IsGeographic() else 0.0


def turned(low: float, high: float, extent: tuple[float, float], turn: float) -> list[int]:
    """By how many turns longitudes from `low` to `high` can be moved to overlap with an extent, west to east."""
    tiny = 1e-9 * turn
    return list(range(math.ceil((extent[0] - high + tiny) / turn), math.floor((extent[1] - low - tiny) / turn) + 1))


def near(longitudes: np.ndarray, wanted: Any, turn: float) -> np.ndarray:
    """Longitudes moved by whole turns to where they are nearest to the wanted ones."""
    with np.errstate(invalid="ignore"):
        moved: np.ndarray = longitudes + turn * np.round((wanted - longitudes) / turn)
    return moved


def longitudes_on(west: float, east: float, grid: Grid) -> tuple[float, float]:
    """An extent from west to east in the CRS of a grid, moved by whole turns to where most of it lies on the grid."""
    turn, (first, _, last, _) = turn_of(grid.wkt), grid.extent
    steps = turned(west, east, (first, last), turn) if turn else []
    step = max(steps, key=lambda each: min(east + each * turn, last) - max(west + each * turn, first), default=0)
    return west + step * turn, east + step * turn


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

    def pixels_of_grid(self) -> tuple[float, float]:
        """How many common pixels an own pixel is wide and high, in the middle of the footprint."""
        found = self.footprint()
        row, column = found.row + found.height / 2, found.column + found.width / 2
        places = np.array([[column - 0.5, row], [column + 0.5, row], [column, row - 0.5], [column, row + 0.5]])
        west, east, north, south = self.to_own(places)
        wide, high = np.hypot(*(east - west)), np.hypot(*(south - north))
        return (1 / wide, 1 / high) if min(wide, high) > 0 else (1.0, 1.0)

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


def mappings_of(own: Grid, grid: Grid, name: str) -> list[GridMapping]:
    """Where a raster's pixels lie in the common grid: once for each turn of longitude at which it reaches it."""
    return [GridMapping(copy, grid, name) for copy in _copies(own, grid)]


def _copies(own: Grid, grid: Grid) -> tuple[Grid, ...]:
    """A raster's grid, moved by whole turns to wherever it overlaps with the common grid in longitude.

    It is itself alone where one of the two is not geographic, or nothing overlaps.
    """
    turn, other = turn_of(own.wkt), turn_of(grid.wkt)
    if not turn or not other:
        return (own,)
    west, _, east, _ = (edge * turn / other for edge in grid.extent)
    half = own.pixel_size[0] / 2  # a sliver of less is no overlap
    steps = turned(own.extent[0] + half, own.extent[2] - half, (west, east), turn)
    return tuple(own.moved_east(step * turn) for step in steps) or (own,)


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
