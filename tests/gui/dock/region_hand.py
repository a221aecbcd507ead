"""A mouse over a canvas, as tests of growing and segments need it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from qgis.core import QgsCoordinateReferenceSystem, QgsCoordinateTransform, QgsGeometry, QgsPointXY, QgsProject
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QCoreApplication, QEvent, QPoint, Qt
from qgis.PyQt.QtGui import QMouseEvent
from qgis.PyQt.QtTest import QTest

from bdgf.bdgf_qgis.gui.dock.tools.region_tool import RegionTool
from bdgf.bdgf_qgis.workflows.raster_inputs import Rasters
from bdgf.bdgf_qgis.workflows.region_finder import RegionFinder
from bdgf.tests.raster.helpers import UTM

WEST, NORTH = 400_000.0, 5_800_000.0
LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
SHIFT, ALT, NONE = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.NoModifier
Box = tuple[float, float, float, float]


@dataclass
class Hand:
    """A mouse over a canvas, and what its tool gave."""

    canvas: QgsMapCanvas
    tool: RegionTool
    drawn: list[tuple[QgsGeometry, QgsCoordinateReferenceSystem]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def pixel(self, place: tuple[float, float]) -> QPoint:
        point = QgsPointXY(WEST + place[0], NORTH - place[1])
        here = self.canvas.mapSettings().destinationCrs()
        there = QgsCoordinateReferenceSystem.fromEpsgId(UTM)
        point = QgsCoordinateTransform(there, here, QgsProject.instance()).transform(point)
        return self.canvas.mapSettings().mapToPixel().transform(point).toQPointF().toPoint()

    def press(self, place: tuple[float, float], keys: Any = NONE, button: Any = LEFT) -> None:
        QTest.mousePress(self.canvas.viewport(), button, keys, self.pixel(place))

    def move(self, place: tuple[float, float], right: int = 0, buttons: Any = LEFT) -> None:
        at = self.pixel(place) + QPoint(right, 0)
        view = self.canvas.viewport()
        event = QMouseEvent(QEvent.Type.MouseMove, at, view.mapToGlobal(at), Qt.MouseButton.NoButton, buttons, NONE)
        QCoreApplication.sendEvent(view, event)

    def release(self, place: tuple[float, float], right: int = 0, keys: Any = NONE, button: Any = LEFT) -> None:
        QTest.mouseRelease(self.canvas.viewport(), button, keys, self.pixel(place) + QPoint(right, 0))

    def click(self, place: tuple[float, float], keys: Any = NONE, button: Any = LEFT) -> None:
        self.press(place, keys, button)
        self.release(place, 0, keys, button)

    def shown(self) -> QgsGeometry:
        band = self.tool._band
        return QgsGeometry() if band is None else band.asGeometry()

    def box(self, number: int = -1) -> Box:
        return metres(self.drawn[number][0])


def metres(geometry: QgsGeometry) -> Box:
    box = geometry.boundingBox()
    return box.xMinimum() - WEST, NORTH - box.yMaximum(), box.xMaximum() - WEST, NORTH - box.yMinimum()


def soon(done: Callable[[], bool], seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        QTest.qWait(10)
    return done()


def hand_of(kind: type[RegionTool], canvas: QgsMapCanvas, finder: RegionFinder, scene: Rasters) -> Hand:
    tool = kind(canvas, finder)
    hand = Hand(canvas, tool)
    tool.drawn.connect(lambda geometry, crs: hand.drawn.append((geometry, crs)))
    tool.failed.connect(hand.failed.append)
    tool.set_scene(scene)
    canvas.setMapTool(tool)
    return hand
