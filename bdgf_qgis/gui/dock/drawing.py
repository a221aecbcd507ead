"""Which tool draws: actions for the tools and their keys, and what a finished sample becomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

from qgis.core import QgsApplication, QgsCoordinateReferenceSystem, QgsGeometry
from qgis.gui import QgsMapCanvas
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtGui import QColor, QIcon, QKeySequence
from qgis.PyQt.QtWidgets import QAction

from ....model.shared.infos import ClassInfo
from ...raster.samples.shapes import TRAIN
from ...translation import tr
from ...workflows.raster_inputs import Rasters
from ...workflows.region_finder import RegionFinder
from .samples import Samples, SamplesError
from .tools.brush import BrushTool
from .tools.grow import GrowTool
from .tools.lasso import LassoTool
from .tools.point import PointTool, Reference
from .tools.polygon import PolygonTool
from .tools.rectangle import RectangleTool
from .tools.sample_tool import SampleTool
from .tools.segment import SegmentTool


class Drawing(QObject):
    """The tools over a canvas; `failed(sentence)` where a sample could not be drawn.

    reference  the grid that the point tool draws pixels of, with its reference system
    """

    failed = pyqtSignal(str)

    def __init__(self, canvas: QgsMapCanvas, reference: Callable[[], Optional[Reference]]) -> None:
        super().__init__()
        self._canvas = canvas
        self._samples: Optional[Samples] = None
        self._info: Optional[ClassInfo] = None
        self.role = TRAIN
        self.finder = RegionFinder(self)
        self.brush = BrushTool(canvas)
        self.grow, self.segment = GrowTool(canvas, self.finder), SegmentTool(canvas, self.finder)
        tools: tuple[tuple[SampleTool, str, str, str, str], ...] = (
            (PolygonTool(canvas), tr("Draw a polygon"), "P", "mActionAddPolygon.svg", "polygon"),
            (RectangleTool(canvas), tr("Draw a rectangle"), "T", "mActionAddBasicRectangle.svg", "rectangle"),
            (LassoTool(canvas), tr("Draw freehand"), "L", "mActionStreamingDigitize.svg", "lasso"),
            (self.brush, tr("Paint with a brush"), "B", "mActionStyleManager.svg", "brush"),
            (self.grow, tr("Grow a region from a pixel"), "G", "mActionTracing.svg", "grow"),
            (self.segment, tr("Take a segment of the image"), "S", "mActionSplitParts.svg", "segment"),
            (PointTool(canvas, reference), tr("Take a single pixel"), "O", "mActionAddBasicShape.svg", "pixel"),
        )
        self.tools: dict[str, SampleTool] = {}
        self.actions: dict[str, QAction] = {}
        for tool, text, key, icon, name in tools:
            action = self._action(text, key, f"bdgf_{name}", QgsApplication.getThemeIcon(icon))
            action.setCheckable(True)
            if isinstance(tool, (GrowTool, SegmentTool)):
                action.setToolTip(f"{action.toolTip()}\n{tool.status_tip()}")
            action.triggered.connect(lambda _, tool=tool: self._canvas.setMapTool(tool))
            tool.setAction(action)
            tool.drawn.connect(self._drawn)
            tool.failed.connect(self.failed)
            self.tools[name], self.actions[name] = tool, action
        self.take_back = self._action(tr("Take back the last corner"), "Backspace", "bdgf_take_back")
        self.take_back.triggered.connect(lambda _: self._with_tool(lambda tool: tool.take_back()))
        self.give_up = self._action(tr("Give up the sample that is drawn"), "Escape", "bdgf_give_up")
        self.give_up.triggered.connect(lambda _: self._with_tool(lambda tool: tool.give_up()))
        self.reclassify = self._action(
            tr("Give the selected samples the class that is chosen"),
            "R",
            "bdgf_reclassify",
            QgsApplication.getThemeIcon("mActionMultiEdit.svg"),
        )
        self.reclassify.triggered.connect(lambda _: self._reclassify())
        self._show_samples(None)

    @property
    def active(self) -> bool:
        """Whether one of the tools is chosen."""
        return self._canvas.mapTool() in self.tools.values()

    def draw_into(self, samples: Optional[Samples]) -> None:
        """Draw into these samples from now on."""
        self._show_samples(samples)

    def look_at(self, rasters: Optional[Rasters]) -> None:
        """Find regions on these rasters from now on."""
        for tool in (self.grow, self.segment):
            tool.set_scene(rasters)

    def draw_with(self, info: Optional[ClassInfo]) -> None:
        """Draw with this class from now on."""
        self._info = info
        for tool in self.tools.values():
            tool.set_colour(QColor("#ff00ff" if info is None else info.colour))

    def close(self) -> None:
        """Leave nothing on the canvas."""
        self._samples = None
        if not sip.isdeleted(self._canvas):
            for tool in self.tools.values():
                tool.close()
        self.finder.close()

    def _action(self, text: str, key: str, name: str, icon: Optional[QIcon] = None) -> QAction:
        action = QAction(icon or QIcon(), text, self)
        action.setShortcut(QKeySequence(key))
        action.setObjectName(name)
        action.setToolTip(f"{text} ({key})")
        return action

    def _show_samples(self, samples: Optional[Samples]) -> None:
        self._samples = samples
        for action in (*self.actions.values(), self.reclassify):
            action.setEnabled(samples is not None)
        if samples is None and not sip.isdeleted(self._canvas) and self.active:
            self._canvas.unsetMapTool(self._canvas.mapTool())

    def _with_tool(self, act: Callable[[Any], None]) -> None:
        if self.active:
            act(self._canvas.mapTool())

    def _drawn(self, geometry: QgsGeometry, crs: QgsCoordinateReferenceSystem) -> None:
        if self._samples is None:
            return
        if self._info is None:
            self.failed.emit(tr("Add a class first: what is drawn needs one."))
            return
        self._try(lambda samples: samples.add(geometry, crs, self._code(), self.role))

    def _reclassify(self) -> None:
        layer = None if self._samples is None else self._samples.layer
        if layer is None or self._info is None:
            return
        chosen = layer.selectedFeatureIds()
        if not chosen:
            self.failed.emit(tr("Select samples first, with QGIS's selection tools: then R gives them the class."))
            return
        self._try(lambda samples: samples.reclassify(chosen, self._code()))

    def _code(self) -> Optional[int]:
        return None if self._info is None else self._info.code

    def _try(self, act: Callable[[Samples], None]) -> None:
        assert self._samples is not None
        try:
            act(self._samples)
        except SamplesError as error:
            self.failed.emit(str(error))
