"""The row of tools, the role of what is drawn, and what the chosen tool can be set to."""

from __future__ import annotations

from typing import Any

from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QSignalBlocker, QSize
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSpinBox,
    QToolBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ...raster.samples.shapes import IGNORE, TRAIN, VALIDATE
from ...translation import tr
from .drawing import Drawing
from .raster_weights import RasterWeights
from .tools.brush import NARROWEST, WIDEST
from .tools.segment import LARGEST, SMALLEST

_LARGEST_REGION = 10_000_000  # pixels


class ToolBar(QWidget):
    """Shows the actions of a Drawing and sets its tools."""

    def __init__(self, drawing: Drawing, canvas: QgsMapCanvas, icon_size: QSize) -> None:
        super().__init__()
        self._drawing = drawing
        self._canvas = canvas
        bar = QToolBar()
        bar.setIconSize(icon_size)
        for action in (*drawing.actions.values(), drawing.reclassify):
            bar.addAction(action)
        self.role = QComboBox()
        for text, role in ((tr("train"), TRAIN), (tr("validate"), VALIDATE), (tr("ignore"), IGNORE)):
            self.role.addItem(text, role)
        self.role.setToolTip(
            tr("What samples are drawn for: to learn from, for the accuracy figures, or for nothing yet")
        )
        self.role.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.what = QLabel()
        self.size = QSpinBox()
        self.weights = QToolButton()
        self.weights.setText(tr("Weights..."))
        self.weights.setToolTip(tr("How much each raster counts for regions and segments"))
        row, rows = QHBoxLayout(), QVBoxLayout(self)
        for widget in (self.role, self.what, self.size, self.weights):
            row.addWidget(widget)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addWidget(bar)
        rows.addLayout(row)
        self.role.currentIndexChanged.connect(lambda _: self._choose_role())
        self.size.valueChanged.connect(self._resize)
        self.weights.clicked.connect(lambda _: self._ask_weights())
        canvas.mapToolSet.connect(self._show_tool)
        self._show_tool(canvas.mapTool())

    def close_parts(self) -> None:
        """Hear nothing more of the canvas."""
        self._canvas.mapToolSet.disconnect(self._show_tool)

    def _choose_role(self) -> None:
        self._drawing.role = str(self.role.currentData())

    def _show_tool(self, tool: Any, _: Any = None) -> None:
        """Offer what the tool can be set to."""
        drawing = self._drawing
        rows = {
            drawing.brush: (tr("Width"), drawing.brush.width, NARROWEST, WIDEST),
            drawing.segment: (tr("Size"), drawing.segment.scale, SMALLEST, LARGEST),
            drawing.grow: (tr("At most"), drawing.grow.largest, 1, _LARGEST_REGION),
        }
        shown = rows.get(tool)
        for widget in (self.what, self.size):
            widget.setVisible(shown is not None)
        self.weights.setVisible(tool in (drawing.segment, drawing.grow))
        if shown is not None:
            blocker = QSignalBlocker(self.size)
            text, value, least, most = shown
            self.what.setText(text)
            self.size.setRange(least, most)
            self.size.setValue(value)
            self.size.setSuffix(tr(" px"))
            del blocker

    def _resize(self, pixels: int) -> None:
        tool = self._canvas.mapTool()
        drawing = self._drawing
        if tool is drawing.brush:
            drawing.brush.set_width(pixels)
        elif tool is drawing.segment:
            drawing.segment.set_scale(pixels)
        elif tool is drawing.grow:
            drawing.grow.set_largest(pixels)

    def _ask_weights(self) -> None:
        scene = self._drawing.finder.scene
        if scene is None:
            return
        names = [raster.name for raster in scene.modalities]
        dialog = RasterWeights(names, self._drawing.grow.weights, self)
        if dialog.exec():
            for tool in (self._drawing.grow, self._drawing.segment):
                tool.set_weights(dialog.values)
        dialog.deleteLater()
