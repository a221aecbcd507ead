"""Longitudes, which begin anew after a full turn: rasters from 0 to 360 degrees, and places across the date line."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from ..grid import Grid
from .reference import reference_of

Rings = list[list[np.ndarray]]  # parts, of rings (n, 2): the first of a part is its outer one


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


def copies_of(own: Grid, grid: Grid) -> tuple[Grid, ...]:
    """A raster's grid, moved by whole turns to wherever it overlaps with the common grid in longitude.

    It is itself alone where one of the two is not geographic, or nothing overlaps.
    """
    turn, other = turn_of(own.wkt), turn_of(grid.wkt)
    if not turn or not other:
        return (own,)
    west, _, east, _ = (each * turn / other for each in grid.extent)
    half = own.pixel_size[0] / 2  # a sliver of less is no overlap
    steps = turned(own.extent[0] + half, own.extent[2] - half, (west, east), turn)
    return tuple(own.moved_east(step * turn) for step in steps) or (own,)


def longitudes_on(west: float, east: float, grid: Grid) -> tuple[float, float]:
    """An extent from west to east in the CRS of a grid, moved by whole turns to where most of it lies on the grid."""
    turn, (first, _, last, _) = turn_of(grid.wkt), grid.extent
    steps = turned(west, east, (first, last), turn) if turn else []
    step = max(steps, key=lambda each: min(east + each * turn, last) - max(west + each * turn, first), default=0)
    return west + step * turn, east + step * turn


def near(longitudes: np.ndarray, wanted: Any, turn: float) -> np.ndarray:
    """Longitudes moved by whole turns to where they are nearest to the wanted ones."""
    with np.errstate(invalid="ignore"):
        moved: np.ndarray = longitudes + turn * np.round((wanted - longitudes) / turn)
    return moved


def unbroken(ring: np.ndarray, before: np.ndarray, found: Any, turn: float) -> np.ndarray:
    """A projected ring (n, 2) that goes on across the date line instead of around the world.

    Args:
        ring: longitudes and latitudes.
        before: the same points in the projected CRS that they come from.
        found: the transformation between the two.
        turn: in the units of the longitudes.
    """
    jumps = np.diff(ring[:, 0])
    steps = np.zeros(len(ring))
    for place in np.nonzero(np.abs(jumps) > turn / 2)[0].tolist():
        middle = found.TransformPoint(*((before[place] + before[place + 1]) / 2).tolist())[0]
        if abs(middle - (ring[place, 0] + ring[place + 1, 0]) / 2) > turn / 4:  # else the edge is as long as that
            steps[place + 1] = -np.sign(jumps[place])
    steps = np.cumsum(steps)
    if steps[-1]:  # around a pole
        return ring
    return np.column_stack([ring[:, 0] + turn * steps, ring[:, 1]])


def parts_on(parts: Rings, grid: Grid, turn: float) -> Rings:
    """Parts of a polygon moved by whole turns to wherever they overlap with a geographic grid.

    A part that does nowhere stays where it is.
    """
    west, _, east, _ = grid.extent
    found = []
    for part in parts:
        middle = (part[0][:, 0].min() + part[0][:, 0].max()) / 2
        whole = [part[0], *(_beside(ring, middle, turn) for ring in part[1:])]
        steps = turned(float(part[0][:, 0].min()), float(part[0][:, 0].max()), (west, east), turn)
        found += [[ring + np.array([step * turn, 0.0]) for ring in whole] if step else whole for step in steps or [0]]
    return found


def _beside(ring: np.ndarray, middle: float, turn: float) -> np.ndarray:
    """A hole moved by whole turns to its outer ring."""
    own = (ring[:, 0].min() + ring[:, 0].max()) / 2
    step = np.round((middle - own) / turn)
    return ring + np.array([step * turn, 0.0]) if step else ring
