"""Painted: what the pointer passes over with the button held, as wide as the brush."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsGeometry, QgsPointXY
from qgis.gui import QgsMapMouseEvent
from qgis.PyQt.QtCore import Qt

from .sample_tool import SampleTool

NARROWEST, WIDEST = 2, 200  # pixels of the screen
_SEGMENTS = 6  # of a quarter of a circle
_SIMPLIFIED = 0.5  # pixels of the screen that the outline may be off


class BrushTool(SampleTool):
    """Draws a stroke."""

    def __init__(self, canvas: Any) -> None:
        super().__init__(canvas)
        self._line: list[QgsPointXY] = []
        self.width = 16

    def set_width(self, pixels: int) -> None:
        """How wide the brush is, in pixels of the screen."""
        self.width = min(max(pixels, NARROWEST), WIDEST)

    def canvasPressEvent(self, event: QgsMapMouseEvent) -> None:
        """The stroke begins."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._line = [self.on_map(event.pos())]
            self.show_outline(self._stroke())

    def canvasMoveEvent(self, event: QgsMapMouseEvent) -> None:
        """The stroke goes on."""
        if self._line:
            self._line.append(self.on_map(event.pos()))
            self.show_outline(self._stroke())

    def canvasReleaseEvent(self, event: QgsMapMouseEvent) -> None:
        """The stroke ends."""
        if event.button() == Qt.MouseButton.LeftButton and self._line:
            self.hand_on(self._stroke())

    def give_up(self) -> None:
        """Forget the stroke."""
        self._line = []
        super().give_up()

    def _stroke(self) -> QgsGeometry:
        size = self.pixel_size()
        line = QgsGeometry.fromPolylineXY(self._line) if len(self._line) > 1 else QgsGeometry.fromPointXY(self._line[0])
        if len(self._line) > 2:
            line = line.simplify(_SIMPLIFIED * size)
        return line.buffer(self.width / 2 * size, _SEGMENTS)
