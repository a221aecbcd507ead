"""A single pixel of the reference grid: the one below the pointer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Optional

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsGeometry,
    QgsProject,
    QgsRectangle,
)
from qgis.gui import QgsMapMouseEvent
from qgis.PyQt.QtCore import Qt

from ....raster.grid import Grid
from ....translation import tr
from .sample_tool import SampleTool

Reference = tuple[Grid, QgsCoordinateReferenceSystem]
_INSIDE = 0.01  # of a pixel that the square stays away from its neighbours: they touch by no corner


class PointTool(SampleTool):
    """Draws the square of a pixel; `reference` gives the grid and its reference system, None without rasters."""

    def __init__(self, canvas: Any, reference: Callable[[], Optional[Reference]]) -> None:
        super().__init__(canvas)
        self._reference = reference

    def canvasReleaseEvent(self, event: QgsMapMouseEvent) -> None:
        """The pixel."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        reference = self._reference()
        if reference is None:
            self.failed.emit(tr("A pixel is one of the rasters: tick at least one raster first."))
            return
        grid, crs = reference
        place = self.on_map(event.pos())
        system = self._canvas.mapSettings().destinationCrs()
        if crs.isValid() and system.isValid():
            try:
                place = QgsCoordinateTransform(system, crs, QgsProject.instance()).transform(place)
            except QgsCsException:
                self.failed.emit(tr("There is no pixel of the rasters here."))
                return
        square = pixel_at(grid, place.x(), place.y())
        if square is None:
            self.failed.emit(tr("There is no pixel of the rasters here."))
        else:
            self.hand_on(QgsGeometry.fromRect(square), crs if crs.isValid() else system)


def pixel_at(grid: Grid, x: float, y: float) -> Optional[QgsRectangle]:
    """The pixel of a grid at a place in its reference system; None beyond the grid."""
    west, wide, _, north, _, high = grid.transform
    column, row = math.floor((x - west) / wide), math.floor((y - north) / high)
    if not (0 <= column < grid.width and 0 <= row < grid.height):
        return None
    left, top = west + column * wide, north + row * high
    inner = QgsRectangle(left, top + high, left + wide, top)
    inner.grow(-_INSIDE * min(wide, -high))
    return inner
