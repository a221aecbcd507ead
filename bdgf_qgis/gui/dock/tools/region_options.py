"""What can be set of growing and segments: weights of the rasters, largest size, kind and size of segments."""

from __future__ import annotations

from typing import Optional

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QComboBox, QDoubleSpinBox, QFormLayout, QLabel, QSpinBox, QWidget

from ....translation import tr
from ....workflows.raster_inputs import Rasters
from .grow import GrowTool
from .segment import LARGEST, SMALLEST, SegmentTool

_MOST_PIXELS, _MOST_WEIGHT = 10_000_000, 100.0


class RegionOptions(QWidget):
    """Settings of two tools, of which those of the active one are shown; none while neither is."""

    def __init__(self, grow: GrowTool, segment: SegmentTool, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self._grow, self._segment = grow, segment
        self._scene: Optional[Rasters] = None
        self._weights: list[QDoubleSpinBox] = []
        self.largest = QSpinBox()
        self.largest.setRange(1, _MOST_PIXELS)
        self.largest.setGroupSeparatorShown(True)
        self.largest.setValue(grow.largest)
        self.largest.setToolTip(tr("No region grows beyond this many pixels of the finest raster"))
        self.largest.valueChanged.connect(grow.set_largest)
        self.method = QComboBox()
        self.method.addItem(tr("compact (SLIC)"), "slic")
        self.method.addItem(tr("by contrast (Felzenszwalb)"), "felzenszwalb")
        self.method.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.method.currentIndexChanged.connect(lambda _: segment.set_method(str(self.method.currentData())))
        self.scale = QSpinBox()
        self.scale.setRange(SMALLEST, LARGEST)
        self.scale.setSuffix(tr(" px"))
        self.scale.setValue(segment.scale)
        self.scale.setKeyboardTracking(False)
        self.scale.setToolTip(tr("How long a side of a segment is, about, in pixels of the screen"))
        self.scale.valueChanged.connect(segment.set_scale)
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._form.addRow(tr("Largest region"), self.largest)
        self._form.addRow(tr("Segments"), self.method)
        self._form.addRow(tr("Their size"), self.scale)
        for tool in (grow, segment):
            tool.activated.connect(self._show_rows)
            tool.deactivated.connect(self._show_rows)
        self._show_rows()

    def show_scene(self, rasters: Optional[Rasters]) -> None:
        """A weight for each raster, where there are several; all alike at first."""
        if rasters == self._scene:
            return
        self._scene = rasters
        for box in self._weights:
            self._form.removeRow(box)
        self._weights.clear()
        names = [] if rasters is None else [raster.name for raster in rasters.modalities]
        for name in names if len(names) > 1 else ():
            box = QDoubleSpinBox()
            box.setRange(0.0, _MOST_WEIGHT)
            box.setSingleStep(0.5)
            box.setDecimals(1)
            box.setValue(1.0)
            box.setKeyboardTracking(False)
            box.setToolTip(tr("How much '{name}' counts for what is alike; 0 leaves it out").format(name=name))
            box.valueChanged.connect(lambda _: self._weigh())
            label = QLabel(tr("Weight of {name}").format(name=name))
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            self._form.addRow(label, box)
            self._weights.append(box)
        for tool in (self._grow, self._segment):
            tool.set_weights(())

    def _weigh(self) -> None:
        weights = tuple(box.value() for box in self._weights)
        for tool in (self._grow, self._segment):
            tool.set_weights(weights)

    def _show_rows(self) -> None:
        grows, segments = self._grow.isActive(), self._segment.isActive()
        for widget, shown in ((self.largest, grows), (self.method, segments), (self.scale, segments)):
            widget.setVisible(shown)
            self._form.labelForField(widget).setVisible(shown)
        self.setVisible(grows or segments)
