"""The live map over the canvas, wherever that moves."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
from qgis.core import QgsCoordinateTransform, QgsCsException, QgsPointXY, QgsProject
from qgis.gui import QgsMapCanvas, QgsMapCanvasItem
from qgis.PyQt.QtCore import QPointF
from qgis.PyQt.QtGui import QColor, QImage, QPainter, QTransform

from ....workflows.live_map import LiveAnswer

_DARK, _BRIGHT = np.array([59, 15, 112]), np.array([252, 253, 191])  # of confidence 0 and 1


class LiveOverlay(QgsMapCanvasItem):
    """An image whose corners follow the map. (Between the corners it is drawn straight, also in another system.)"""

    def __init__(self, canvas: QgsMapCanvas) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._answer: Optional[LiveAnswer] = None
        self._image: Optional[QImage] = None
        self._pixels = np.empty(0)  # what the image shows; Qt keeps no copy
        self._opacity = 0.6
        self._confidence = False
        self.setZValue(-1)  # below rubber bands

    def show_answer(self, answer: Optional[LiveAnswer]) -> None:
        """Show a map; None shows nothing."""
        self._answer = answer
        self._make_image()

    def show_confidence(self, wanted: bool) -> None:
        """Show how sure the map is, in place of its classes."""
        self._confidence = wanted
        self._make_image()

    def set_opacity(self, share: float) -> None:
        """0 shows nothing, 1 hides what is below."""
        self._opacity = share
        self.update()

    def updatePosition(self) -> None:
        """The map was moved."""
        self.update()

    def boundingRect(self) -> Any:
        """All of the canvas."""
        return self._canvas.scene().sceneRect()

    def paint(self, painter: QPainter, *_: Any) -> None:
        """Draw the image between the places of its corners on the screen."""
        corners = self._corners()
        if self._image is None or corners is None:
            return
        (left, top), (right, high), (low, bottom) = corners
        wide, tall = self._image.width(), self._image.height()
        place = QTransform(
            (right - left) / wide, (high - top) / wide, (low - left) / tall, (bottom - top) / tall, left, top
        )
        painter.save()
        painter.setOpacity(self._opacity)
        painter.setTransform(place, True)
        painter.drawImage(QPointF(0, 0), self._image)
        painter.restore()

    def _corners(self) -> Optional[list[tuple[float, float]]]:
        """Pixels of the canvas: the corners in the north-west, north-east and south-west."""
        answer = self._answer
        if answer is None:
            return None
        west, south, east, north = answer.grid.extent
        system = self._canvas.mapSettings().destinationCrs()
        places = [QgsPointXY(west, north), QgsPointXY(east, north), QgsPointXY(west, south)]
        if answer.crs.isValid() and system.isValid() and answer.crs != system:
            across = QgsCoordinateTransform(answer.crs, system, QgsProject.instance())
            try:
                places = [across.transform(place) for place in places]
            except QgsCsException:
                return None
        pixels = [self.toCanvasCoordinates(place) for place in places]
        return [(pixel.x(), pixel.y()) for pixel in pixels]

    def _make_image(self) -> None:
        answer = self._answer
        self._image = None
        if answer is not None:
            shown = _confidence_pixels(answer) if self._confidence else _class_pixels(answer)
            self._pixels = np.ascontiguousarray(shown)
            height, width = shown.shape[:2]
            self._image = QImage(self._pixels.data, width, height, 4 * width, QImage.Format.Format_RGBA8888)
        self.update()


def _class_pixels(answer: LiveAnswer) -> np.ndarray:
    """Red, green, blue and alpha, uint8 (h, w, 4)."""
    pixels = np.zeros((*answer.codes.shape, 4), np.uint8)
    for code, colour in answer.colours.items():
        red_green_blue = QColor(colour)
        pixels[answer.codes == code] = (red_green_blue.red(), red_green_blue.green(), red_green_blue.blue(), 255)
    return pixels


def _confidence_pixels(answer: LiveAnswer) -> np.ndarray:
    """The same, dark where the map is unsure."""
    known = np.isfinite(answer.confidence)
    share = np.where(known, answer.confidence, 0)[..., None]
    colours = _DARK + share * (_BRIGHT - _DARK)
    return np.concatenate([colours, np.where(known, 255, 0)[..., None]], axis=2).astype(np.uint8)
