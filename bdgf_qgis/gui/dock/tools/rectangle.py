"""From one corner to the opposite one, with the button held; upright on the screen, however the canvas is turned."""

from __future__ import annotations

from typing import Any, Optional

from qgis.core import QgsGeometry
from qgis.gui import QgsMapMouseEvent
from qgis.PyQt.QtCore import QPoint, Qt

from .sample_tool import SampleTool, dragged


class RectangleTool(SampleTool):
    """Draws a rectangle."""

    def __init__(self, canvas: Any) -> None:
        super().__init__(canvas)
        self._start: Optional[QPoint] = None

    def canvasPressEvent(self, event: QgsMapMouseEvent) -> None:
        """The first corner."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._start = event.pos()

    def canvasMoveEvent(self, event: QgsMapMouseEvent) -> None:
        """The outline follows."""
        if self._start is not None:
            self.show_outline(self._between(self._start, event.pos()))

    def canvasReleaseEvent(self, event: QgsMapMouseEvent) -> None:
        """The opposite corner."""
        start = self._start
        if event.button() != Qt.MouseButton.LeftButton or start is None:
            return
        if dragged(start, event.pos()):
            self.hand_on(self._between(start, event.pos()))
        else:
            self.give_up()

    def give_up(self) -> None:
        """Forget the first corner."""
        self._start = None
        super().give_up()

    def _between(self, start: QPoint, end: QPoint) -> QgsGeometry:
        pixels = [start, QPoint(end.x(), start.y()), end, QPoint(start.x(), end.y()), start]
        return QgsGeometry.fromPolygonXY([[self.on_map(pixel) for pixel in pixels]])
