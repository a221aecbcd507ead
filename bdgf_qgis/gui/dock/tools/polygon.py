"""Corner by corner: a click each, the other button or a double click ends; snaps where the project does."""

from __future__ import annotations

from typing import Any, Optional

from qgis.core import QgsGeometry, QgsPointXY
from qgis.gui import QgsMapMouseEvent
from qgis.PyQt.QtCore import Qt

from .sample_tool import SampleTool


class PolygonTool(SampleTool):
    """Draws a polygon."""

    def __init__(self, canvas: Any) -> None:
        super().__init__(canvas)
        self._corners: list[QgsPointXY] = []

    def canvasReleaseEvent(self, event: QgsMapMouseEvent) -> None:
        """A corner, or the end."""
        if event.button() == Qt.MouseButton.LeftButton:
            corner = event.snapPoint()
            if not self._corners or corner != self._corners[-1]:
                self._corners.append(corner)
            self._show(None)
        elif event.button() == Qt.MouseButton.RightButton:
            self._finish()

    def canvasDoubleClickEvent(self, event: QgsMapMouseEvent) -> None:
        """The end; the corner was set by the first click."""
        if event.button() == Qt.MouseButton.LeftButton and len(self._corners) > 2:
            self._finish()

    def canvasMoveEvent(self, event: QgsMapMouseEvent) -> None:
        """The outline follows."""
        if self._corners:
            self._show(event.snapPoint())

    def take_back(self) -> None:
        """Take back the last corner."""
        del self._corners[-1:]
        self._show(None)

    def give_up(self) -> None:
        """Forget the corners."""
        self._corners.clear()
        super().give_up()

    def _show(self, pointer: Optional[QgsPointXY]) -> None:
        corners = [*self._corners, *([] if pointer is None else [pointer])]
        self.show_outline(QgsGeometry.fromPolygonXY([[*corners, corners[0]]]) if corners else None)

    def _finish(self) -> None:
        corners = list(self._corners)
        if len(corners) < 3:
            self.give_up()
            return
        self.hand_on(QgsGeometry.fromPolygonXY([[*corners, corners[0]]]))
