"""Shows statistics of the samples: bands, scatter, separability, warnings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from qgis.PyQt.QtCore import QSignalBlocker, Qt
from qgis.PyQt.QtGui import QColor, QIcon, QPainter, QPixmap
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QListWidget,
    QTabWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from .....model.shared.infos import ClassInfo
from ....raster.samples.statistics import SampleStatistics
from ....translation import tr
from .plots import BandPlot, ScatterPlot

_FEWEST_LETTERS = 6


class StatisticsPanel(QWidget):
    """Four tabs; the title of one counts the warnings."""

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.hint = QLabel(tr("Draw samples of two classes: their statistics are shown here."))
        self.hint.setWordWrap(True)
        self.tabs = QTabWidget()
        self.bands, self.scatter = BandPlot(), ScatterPlot()
        self.raster, self.across, self.up = _box(), _box(), _box()
        self.pairs = QTreeWidget()
        self.pairs.setHeaderLabels([tr("Classes"), tr("Distance")])
        self.pairs.setToolTip(tr("Jeffries-Matusita distance of the pixels: 0 alike, 2 wholly apart; the worst first"))
        self.pairs.setRootIsDecorated(False)
        self.pairs.header().setStretchLastSection(False)
        self.pairs.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.pairs.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.warnings = QListWidget()
        self.warnings.setWordWrap(True)
        self.warnings.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.tabs.addTab(_stacked(self.bands, self.raster), tr("Bands"))
        self.tabs.addTab(self.warnings, tr("Warnings"))
        self.tabs.addTab(self.pairs, tr("Pairs"))
        self.tabs.addTab(_stacked(self.scatter, self.across, self.up), tr("Scatter"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.hint)
        layout.addWidget(self.tabs)
        self.raster.currentTextChanged.connect(self.bands.show_raster)
        for box in (self.across, self.up):
            box.currentIndexChanged.connect(
                lambda _: self.scatter.show_bands(self.across.currentIndex(), self.up.currentIndex())
            )
        self.show_statistics(SampleStatistics(), ())

    def show_failure(self, text: str) -> None:
        """Say why there are no statistics."""
        self.show_statistics(SampleStatistics(), ())
        self.hint.setText(text)

    def show_statistics(self, statistics: SampleStatistics, classes: Sequence[ClassInfo]) -> None:
        """Show them, classes in their colours."""
        there = bool(statistics.classes)
        self.hint.setText(tr("Draw samples of two classes: their statistics are shown here."))
        self.hint.setVisible(not there)
        self.tabs.setVisible(there)
        colours = {info.code: info.colour for info in classes}
        names = {label.code: label.label for label in statistics.classes}
        names |= {info.code: info.name for info in classes if info.code in names}
        rasters = list(dict.fromkeys(band.raster for band in statistics.bands))
        several = len(rasters) > 1
        bands = [f"{band.raster}: {band.band}" if several else band.band for band in statistics.bands]
        for box, texts, place in ((self.raster, rasters, 0), (self.across, bands, 0), (self.up, bands, 1)):
            _fill(box, texts, place)
        self.bands.show_raster(self.raster.currentText())
        self.scatter.show_bands(self.across.currentIndex(), self.up.currentIndex())
        for plot in (self.bands, self.scatter):
            plot.show_statistics(statistics, colours)
        self.pairs.clear()
        for pair in statistics.separability:
            item = QTreeWidgetItem([f"{names[pair.first]} - {names[pair.second]}", f"{pair.distance:.2f}"])
            item.setIcon(0, _two_colours(colours.get(pair.first, "#808080"), colours.get(pair.second, "#808080")))
            self.pairs.addTopLevelItem(item)
        self.warnings.clear()
        self.warnings.addItems(list(statistics.warnings))
        count = len(statistics.warnings)
        title = tr("Warnings ({count})").format(count=count) if count else tr("Warnings")
        self.tabs.setTabText(self.tabs.indexOf(self.warnings), title)


def _box() -> QComboBox:
    box = QComboBox()
    box.setMinimumContentsLength(_FEWEST_LETTERS)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    return box


def _stacked(plot: QWidget, *boxes: QComboBox) -> QWidget:
    whole, layout, row = QWidget(), QVBoxLayout(), QHBoxLayout()
    layout.setContentsMargins(2, 4, 2, 2)
    for box in boxes:
        row.addWidget(box, 1)
    layout.addLayout(row)
    layout.addWidget(plot, 1)
    whole.setLayout(layout)
    return whole


def _fill(box: QComboBox, texts: list[str], place: int) -> None:
    """Offer texts; what was chosen stays chosen where it is still there."""
    if [box.itemText(number) for number in range(box.count())] == texts:
        return
    chosen = box.currentText()
    blocker = QSignalBlocker(box)
    box.clear()
    box.addItems(texts)
    box.setCurrentIndex(texts.index(chosen) if chosen in texts else min(place, len(texts) - 1))
    del blocker


def _two_colours(one: str, other: str) -> QIcon:
    picture = QPixmap(20, 12)
    picture.fill(QColor(one))
    half = QPixmap(10, 12)
    half.fill(QColor(other))
    painter = QPainter(picture)
    painter.drawPixmap(10, 0, half)
    painter.end()
    return QIcon(picture)
