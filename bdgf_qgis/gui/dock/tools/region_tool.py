"""What the tools that find regions share: where they look, and a region that is put together of several."""

from __future__ import annotations

from typing import Any, Optional

from qgis.core import (
    QgsCoordinateTransform,
    QgsCsException,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
)
from qgis.gui import QgsMapCanvas, QgsMapMouseEvent, QgsMapTool
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QPoint, Qt, QTimer

from ....translation import tr
from ....workflows.raster_inputs import Rasters
from ....workflows.region_finder import RegionFinder
from ....workflows.regions import Sight
from .sample_tool import SampleTool

NEW, ADD, CUT = "new", "add", "cut"
_REST = 150  # milliseconds that the map stays where it is before it is looked at
_SIDE_POINTS = 8  # between the corners of the map, where a side is followed into another reference system


class RegionTool(SampleTool):
    """Base of both. A press without a key makes a sample at once; with Shift it adds to a region that stays open, with
    Alt or Ctrl it cuts from it. The other button, or a press without a key, makes a sample of the open region.

    Args:
        canvas: whose map is looked at.
        finder: answers; closed by whom it belongs to, after this tool.
    """

    def __init__(self, canvas: QgsMapCanvas, finder: RegionFinder) -> None:
        super().__init__(canvas)
        self.finder = finder
        self.weights: tuple[float, ...] = ()
        self._scene: Optional[Rasters] = None
        self._open = QgsGeometry()  # in the reference system of the grid, as all geometries here
        self._steps: list[QgsGeometry] = []  # what was open before each part
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST)
        self._rest.timeout.connect(self._look_again)
        self._signals: tuple[Any, ...] = canvas.extentsChanged, canvas.destinationCrsChanged, canvas.rotationChanged
        for signal in self._signals:
            signal.connect(self._moved)

    def set_scene(self, rasters: Optional[Rasters]) -> None:
        """Find regions on these rasters; what is open is given up where they are others."""
        self.finder.set_scene(rasters)
        if rasters == self._scene:
            return
        self._scene = rasters
        self.give_up()
        if self.weights and (rasters is None or len(rasters.modalities) != len(self.weights)):
            self.weights = ()
        self._moved()

    def set_weights(self, weights: tuple[float, ...]) -> None:
        """How much each raster counts, in the order of the scene; () weighs all alike."""
        self.weights = tuple(weights)

    def activate(self) -> None:
        """The tool was chosen."""
        super().activate()
        self.show_open(None, NEW)
        self._rest.start(0)

    def deactivate(self) -> None:
        """Another tool was chosen: an open region stays, as a sketch of QGIS's own tools does, and so does what was let
        go and has no outline yet."""
        self.show_open(None, NEW)
        QgsMapTool.deactivate(self)

    def close(self) -> None:
        """Leave nothing on the canvas, and hear nothing of it."""
        self._rest.stop()
        if not sip.isdeleted(self._canvas):
            for signal in self._signals:
                signal.disconnect(self._moved)
        self._signals = ()
        super().close()

    def look(self, sight: Sight) -> None:
        """Make ready for what is visible."""

    def stop(self) -> None:
        """Forget what was begun and is no part of a sample yet."""

    def give_up(self) -> None:
        """Forget what was begun, and the open region."""
        self.stop()
        self._open = QgsGeometry()
        self._steps.clear()
        super().give_up()

    def take_back(self) -> None:
        """Take the last part of the open region back."""
        if self._steps:
            self._open = self._steps.pop()
            self.show_open(None, NEW)

    def commit_open(self) -> None:
        """Make a sample of the open region, if there is one."""
        found = self._open
        self._open = QgsGeometry()
        self._steps.clear()
        self.show_open(None, NEW)
        self._make_sample(found)

    def take(self, part: QgsGeometry, way: str) -> None:
        """A part is found: NEW makes a sample of it, ADD and CUT change the open region."""
        if way == NEW:
            self._make_sample(part)
            return
        self._steps.append(self._open)
        self._open = self._with(part, way)
        self.show_open(None, NEW)

    def show_open(self, part: Optional[QgsGeometry], way: str) -> None:
        """Show the open region as it would be with a part."""
        shown = QgsGeometry(self._open if part is None else self._with(part, way))
        crossing = self._crossing()
        if shown.isNull() or shown.isEmpty() or crossing is None:
            self.show_outline(None)
            return
        try:
            shown.transform(crossing, QgsCoordinateTransform.ReverseTransform)
            self.show_outline(shown)
        except QgsCsException:
            self.show_outline(None)

    def way_of(self, event: QgsMapMouseEvent) -> Optional[str]:
        """What a press with these keys means; None, with a sentence, where it cannot be. Without a key the open region
        becomes a sample first."""
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            return ADD
        if event.modifiers() & (Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ControlModifier):
            if self._open.isEmpty():
                self.failed.emit(
                    tr("There is nothing to cut from: press with Shift first, which leaves a region open.")
                )
                return None
            return CUT
        self.commit_open()
        return NEW

    def sight(self) -> Optional[Sight]:
        """What is visible, in the reference system of the grid; None, with a sentence, where that cannot be said."""
        settings = self._canvas.mapSettings()
        points = [QgsPointXY(corner) for corner in settings.visiblePolygon()]
        corners = QgsGeometry.fromPolygonXY([[*points, *points[:1]]])
        pixels = max(1, settings.outputSize().width() * settings.outputSize().height())
        crossing = self._crossing()
        try:
            if crossing is None or corners.isEmpty():
                raise QgsCsException("no map")
            if not crossing.isShortCircuited():
                corners = corners.densifyByCount(_SIDE_POINTS)
                corners.transform(crossing)
            extent, side = corners.boundingBox(), (corners.area() / pixels) ** 0.5
            if not extent.isFinite() or not side > 0:
                raise QgsCsException("not finite")
        except QgsCsException:
            self._tell_nowhere()
            return None
        return Sight(extent.xMinimum(), extent.yMinimum(), extent.xMaximum(), extent.yMaximum(), side)

    def place(self, pixel: QPoint) -> Optional[tuple[float, float]]:
        """The place of a pixel of the canvas in the reference system of the grid; None where it has none there."""
        crossing = self._crossing()
        try:
            found = None if crossing is None else crossing.transform(QgsPointXY(self.on_map(pixel)))
        except QgsCsException:
            return None
        return None if found is None else (found.x(), found.y())

    def tell_if_nothing(self) -> bool:
        """Whether there are no rasters, with a sentence."""
        if self._scene is None:
            self.failed.emit(tr("There are no rasters to find regions on: tick some in the dock."))
        return self._scene is None

    def _with(self, part: QgsGeometry, way: str) -> QgsGeometry:
        if way == CUT:
            return self._open.difference(part)
        return QgsGeometry(part) if way == NEW or self._open.isEmpty() else self._open.combine(part)

    def _make_sample(self, geometry: QgsGeometry) -> None:
        scene = self._scene
        if scene is not None and not geometry.isNull() and not geometry.isEmpty():
            self.drawn.emit(geometry, scene.crs)

    def _crossing(self) -> Optional[QgsCoordinateTransform]:
        """From the reference system of the canvas to that of the grid."""
        scene = self._scene
        if scene is None or sip.isdeleted(self._canvas):
            return None
        here = self._canvas.mapSettings().destinationCrs()
        return QgsCoordinateTransform(here, scene.crs, QgsProject.instance().transformContext())

    def _tell_nowhere(self) -> None:
        self.failed.emit(
            tr("What the map shows has no place in the reference system of the rasters: zoom to the rasters.")
        )

    def _moved(self, *_: Any) -> None:
        if self.isActive():
            self._rest.start()

    def _look_again(self) -> None:
        if self._scene is None or sip.isdeleted(self._canvas):
            return
        self.show_open(None, NEW)
        self.blockSignals(True)  # whoever only moves the map is not told what a press would meet
        sight = self.sight()
        self.blockSignals(False)
        if sight is not None:
            self.look(sight)


def geometry_of(outline: bytes) -> QgsGeometry:
    """The geometry of a WKB."""
    geometry = QgsGeometry()
    geometry.fromWkb(outline)
    return geometry
