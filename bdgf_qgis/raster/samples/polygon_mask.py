"""The pixels inside some polygons, window by window."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from ..errors import RasterError
from ..grid import Grid, Window
from ..texts import geometry_notes
from .rasterise import PolygonRaster
from .shapes import Polygon, shapes_of


class PolygonMask:
    """Polygons on a grid, in the rule of the labels: by pixel centre, thin polygons by the pixels they touch.

    Args:
        polygons: their values do not matter.
        crs_wkt: CRS of their coordinates; '' takes them as they are.
        grid: the grid.
        cancelled: looked at for each polygon; RasterCancelled is raised where it says so.

    window is what holds them all, clipped to the grid; notes says what was repaired or left out. Raises RasterError
    where there is no usable polygon on the grid.
    """

    def __init__(
        self,
        polygons: Iterable[Polygon],
        crs_wkt: str,
        grid: Grid,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        found = shapes_of(polygons, crs_wkt, grid, cancelled)
        self.notes = tuple(geometry_notes(found, 0, 0))
        self.window = Window(0, 0, 0, 0)
        for shape in found.shapes:
            self.window = self.window.union(shape.window.intersection(grid.window))
        if self.window.empty:
            raise RasterError("No polygon of the mask lies on the rasters: check its coordinate reference system.")
        self._polygons = PolygonRaster(found.shapes, grid.window, cancelled)

    def read(self, window: Window) -> np.ndarray:
        """Pixels inside, bool (h, w)."""
        return self._polygons.mask(window)
