"""Freehand: the outline is drawn with the button held."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsGeometry, QgsPointXY
from qgis.gui import QgsMapMouseEvent
from qgis.PyQt.QtCore import Qt

from .sample_tool import SampleTool

_SIMPLIFIED = 0.7  # pixels of the screen that the outline may be off
_SMALLEST = 4.0  # square pixels of the screen


class LassoTool(SampleTool):
    """Draws what is encircled."""

    def __init__(self, canvas: Any) -> None:
        super().__init__(canvas)
        self._line: list[QgsPointXY] = []

    def canvasPressEvent(self, event: QgsMapMouseEvent) -> None:
        """The line begins."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._line = [self.on_map(event.pos())]

    def canvasMoveEvent(self, event: QgsMapMouseEvent) -> None:
        """The line goes on."""
        if self._line:
            self._line.append(self.on_map(event.pos()))
            self.show_outline(self._encircled())

    def canvasReleaseEvent(self, event: QgsMapMouseEvent) -> None:
        """The line ends where it began."""
        if event.button() != Qt.MouseButton.LeftButton or not self._line:
            return
        shape = self._encircled().makeValid() if len(self._line) > 2 else QgsGeometry()
        if shape.isNull() or shape.area() < _SMALLEST * self.pixel_size() ** 2:
            self.give_up()
        else:
            self.hand_on(shape.simplify(_SIMPLIFIED * self.pixel_size()).makeValid())

    def give_up(self) -> None:
        """Forget the line."""
        self._line = []
        super().give_up()

    def _encircled(self) -> QgsGeometry:
        return QgsGeometry.fromPolygonXY([[*self._line, self._line[0]]])
