"""What the drawing tools share: the outline in the colour of the class, giving up, handing on what was drawn."""

from __future__ import annotations

from typing import Any, Optional

from qgis.core import QgsCoordinateReferenceSystem, QgsGeometry, QgsWkbTypes
from qgis.gui import QgsMapCanvas, QgsMapTool, QgsRubberBand
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QPoint, Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor

_FILL, _WIDTH = 70, 2  # of 255; pixels of the screen
FEWEST_PIXELS = 3  # of the screen, that the pointer must move for a drag


class SampleTool(QgsMapTool):
    """Base of the tools. `drawn(geometry, reference system)` comes with each sample, `failed(sentence)` with none."""

    drawn = pyqtSignal(QgsGeometry, QgsCoordinateReferenceSystem)
    failed = pyqtSignal(str)

    def __init__(self, canvas: QgsMapCanvas) -> None:
        super().__init__(canvas)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self._canvas = canvas
        self._colour = QColor("#ff00ff")
        self._band: Optional[QgsRubberBand] = None

    def set_colour(self, colour: QColor) -> None:
        """Draw the outline in the colour of a class."""
        self._colour = QColor(colour)
        if self._band is not None:
            self._paint(self._band)

    def take_back(self) -> None:
        """Take back the last corner, where a sample has corners."""

    def give_up(self) -> None:
        """Forget what was begun."""
        self.show_outline(None)

    def deactivate(self) -> None:
        """Another tool was chosen."""
        self.give_up()
        super().deactivate()

    def close(self) -> None:
        """Leave nothing on the canvas."""
        self.give_up()
        if not sip.isdeleted(self._canvas):
            self._canvas.unsetMapTool(self)

    def show_outline(self, geometry: Optional[QgsGeometry]) -> None:
        """Show a shape in the canvas's reference system; None shows nothing."""
        if sip.isdeleted(self._canvas):
            self._band = None
            return
        if self._band is None and geometry is not None:
            self._band = QgsRubberBand(self._canvas, QgsWkbTypes.GeometryType.PolygonGeometry)
            self._paint(self._band)
        if self._band is None:
            return
        if geometry is None:
            self._canvas.scene().removeItem(self._band)
            self._band = None
        else:
            self._band.setToGeometry(geometry, None)

    def hand_on(self, geometry: QgsGeometry, crs: Optional[QgsCoordinateReferenceSystem] = None) -> None:
        """A sample is finished; without a reference system it is in the canvas's."""
        self.give_up()
        system = self._canvas.mapSettings().destinationCrs() if crs is None else crs
        if not geometry.isNull() and not geometry.isEmpty():
            self.drawn.emit(geometry, system)

    def on_map(self, pixel: QPoint) -> Any:
        """The place of a pixel of the canvas, in its reference system."""
        return self.toMapCoordinates(pixel)

    def pixel_size(self) -> float:
        """Side of a pixel of the screen, in units of the canvas."""
        return float(self._canvas.mapUnitsPerPixel())

    def _paint(self, band: QgsRubberBand) -> None:
        fill = QColor(self._colour)
        fill.setAlpha(_FILL)
        band.setStrokeColor(self._colour)
        band.setFillColor(fill)
        band.setWidth(_WIDTH)


def dragged(start: QPoint, end: QPoint) -> bool:
    """Whether the pointer moved far enough to mean it."""
    return (end - start).manhattanLength() >= FEWEST_PIXELS
