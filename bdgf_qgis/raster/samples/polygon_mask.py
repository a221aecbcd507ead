"""The pixels inside some polygons, window by window."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ...feedback import SILENT, Feedback
from ..errors import RasterError
from ..grid import Grid, Window
from .rasterise import PolygonRaster
from .shapes import Polygon, shapes_of


class PolygonMask:
    """Polygons on a grid, in the rule of the labels: by pixel centre, thin polygons by the pixels they touch.

    Args:
        polygons: their values do not matter.
        crs_wkt: CRS of their coordinates; '' takes them as they are.
        grid: the grid.
        feedback: looked at for each polygon; RunCancelled is raised where the user cancels.

    window is what holds them all, clipped to the grid; notes says what was repaired or left out. Raises RasterError
    where there is no usable polygon on the grid.
    """

    def __init__(
        self,
        polygons: Iterable[Polygon],
        crs_wkt: str,
        grid: Grid,
        feedback: Feedback = SILENT,
    ) -> None:
        found = shapes_of(polygons, crs_wkt, grid, feedback)
        self.notes = tuple(found.notes())
        self.window = Window(0, 0, 0, 0)
        for shape in found.shapes:
            self.window = self.window.union(shape.window.intersection(grid.window))
        if self.window.empty:
            raise RasterError("No polygon of the mask lies on the rasters: check its coordinate reference system.")
        self._polygons = PolygonRaster(found.shapes, grid.window, feedback)

    def read(self, window: Window) -> np.ndarray:
        """Pixels inside, bool (h, w)."""
        return self._polygons.mask(window)
