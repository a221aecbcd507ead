"""Asks how much each raster counts where regions are found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from qgis.PyQt.QtWidgets import QDialog, QDialogButtonBox, QDoubleSpinBox, QFormLayout, QWidget

from ...translation import tr

_MOST = 10.0


class RasterWeights(QDialog):
    """A number for each raster; 0 leaves it out, where another one counts."""

    def __init__(self, names: Sequence[str], weights: Sequence[float], parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Weights of the rasters"))
        layout = QFormLayout(self)
        self.boxes: list[QDoubleSpinBox] = []
        for name, weight in zip(names, weights or [1.0] * len(names)):
            box = QDoubleSpinBox()
            box.setRange(0.0, _MOST)
            box.setSingleStep(0.25)
            box.setValue(weight)
            box.valueChanged.connect(lambda _: self._check())
            layout.addRow(name, box)
            self.boxes.append(box)
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        layout.addRow(self._buttons)

    @property
    def values(self) -> tuple[float, ...]:
        """The weights, in the order of the rasters."""
        return tuple(box.value() for box in self.boxes)

    def _check(self) -> None:
        self._buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(any(self.values))
