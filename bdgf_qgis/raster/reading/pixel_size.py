"""How large pixels are on the ground, so that rasters in degrees, feet and metres can be compared."""

from __future__ import annotations

import math

import numpy as np

from ....model.shared.infos import SceneInfo
from ..errors import RasterError
from ..gdal_calls import gdal_errors
from ..grid import Grid
from .projection import reference_of, transformation

UNKNOWN = (0.0, 0.0)
_WHAT = "The size of its pixels on the ground cannot be told"
_SAME = 0.05  # relative difference up to which units are as good as metres


def pixel_metres(grid: Grid) -> tuple[float, float]:
    """Width and height in metres of the pixel in the middle of a grid; UNKNOWN without a CRS that lies on the Earth."""
    if not grid.wkt:
        return UNKNOWN
    try:
        return _on_the_ground(grid)
    except RasterError:
        return UNKNOWN


def _on_the_ground(grid: Grid) -> tuple[float, float]:
    """Distances across the middle pixel on its ellipsoid, by the radii of curvature there."""
    reference = reference_of(grid.wkt, _WHAT)
    if not reference.IsGeographic() and not reference.IsProjected():
        return UNKNOWN
    west, south, east, north = grid.extent
    x, y, (wide, high) = (west + east) / 2, (south + north) / 2, (length / 2 for length in grid.pixel_size)
    points = np.array([[x - wide, y], [x + wide, y], [x, y - high], [x, y + high]])
    with gdal_errors(_WHAT):
        globe = reference.CloneGeogCS()
        found = transformation(grid.wkt, globe.ExportToWkt(), _WHAT)
        if found is not None:
            points = np.array(found.TransformPoints(points.tolist()), float)[:, :2]
        if not np.isfinite(points).all():
            return UNKNOWN
        radians, axis, flat = globe.GetAngularUnits(), globe.GetSemiMajor(), globe.GetInvFlattening()
    lon, lat = (points * radians).T
    square = (2 - 1 / flat) / flat if flat else 0.0  # of the eccentricity
    middle = float(lat.mean())
    bend = 1 - square * math.sin(middle) ** 2
    across, along = axis / math.sqrt(bend), axis * (1 - square) / bend**1.5

    def distance(first: int, second: int) -> float:
        turn = math.remainder(float(lon[second] - lon[first]), 2 * math.pi)
        return math.hypot(across * math.cos(middle) * turn, along * float(lat[second] - lat[first]))

    size = distance(0, 1), distance(2, 3)
    return size if all(math.isfinite(length) and length > 0 for length in size) else UNKNOWN


def side(scene: SceneInfo) -> float:
    """Side of a square as large as a pixel: in metres, or in the units of the grid where those are not known."""
    width, height = scene.pixel_metres if all(scene.pixel_metres) else scene.pixel_size
    return math.sqrt(abs(width * height))


def comparable(one: SceneInfo, other: SceneInfo) -> bool:
    """Whether pixel sizes can be compared: both in metres, or neither in any system."""
    return all(one.pixel_metres) == all(other.pixel_metres) and bool(one.crs) == bool(other.crs)


def pixel_ratio(here: SceneInfo, there: SceneInfo) -> float:
    """How many times the larger pixel side exceeds the smaller; 1 where sizes cannot be compared."""
    if not comparable(here, there):
        return 1.0
    sizes = (here.pixel_metres, there.pixel_metres) if all(here.pixel_metres) else (here.pixel_size, there.pixel_size)
    ratios = [abs(one / other) for one, other in zip(*sizes)]
    return max(max(ratio, 1 / ratio) for ratio in ratios)


def size_text(scene: SceneInfo) -> str:
    """The size of a pixel for people: '2 x 2 m', '0.0003 x 0.0003 units (33 x 22 m)', '1 x 1' without a system."""
    units = " x ".join(f"{length:g}" for length in scene.pixel_size)
    if not all(scene.pixel_metres):
        return units
    if all(abs(one / other - 1) < _SAME for one, other in zip(scene.pixel_size, scene.pixel_metres)):
        return f"{units} m"
    metres = " x ".join(f"{float(f'{length:.3g}'):g}" for length in scene.pixel_metres)
    return f"{units} units ({metres} m)"
