"""Plots of classes: means and deviations over the bands, and two bands against each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

import numpy as np
from qgis.PyQt.QtCore import QPointF, QRectF, QSize, Qt
from qgis.PyQt.QtGui import QColor, QPainter, QPen, QPolygonF, QTextOption
from qgis.PyQt.QtWidgets import QSizePolicy, QWidget

from ....raster.samples.statistics import SampleStatistics
from ....translation import tr

_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 8, 8, 20  # pixels around the plot
_LINE, _WIDE = 16, 80  # pixels of a label
_FILL, _DOT = 45, 110  # of 255
_EDGE = 0.05  # share of the range that stays free on each side


class ClassPlot(QWidget):
    """Base: axes in the colours of the palette, data in those of the classes."""

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(150)
        self._statistics = SampleStatistics()
        self._colours: Mapping[int, str] = {}

    def sizeHint(self) -> QSize:
        """As wide as a narrow dock."""
        return QSize(260, 190)

    def show_statistics(self, statistics: SampleStatistics, colours: Mapping[int, str]) -> None:
        """Show classes, in colours by their codes."""
        self._statistics, self._colours = statistics, colours
        self.update()

    def paintEvent(self, event: Any) -> None:
        """Axes, then the data."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(_LEFT, _TOP, -_RIGHT, -_BOTTOM)
        painter.fillRect(area, self.palette().base())
        painter.setPen(QPen(self.palette().mid().color()))
        painter.drawRect(area)
        if self._statistics.classes and area.width() > 0 and area.height() > 0:
            painter.setClipRect(area)
            across, up, titles = self.draw(painter, area)
            painter.setClipping(False)
            self._label(painter, area, across, up, titles)
        painter.end()

    def draw(self, painter: QPainter, area: QRectF) -> tuple[tuple[float, float], tuple[float, float], str]:
        """Draw the data; the ranges of both axes and the title of the lower one."""
        raise NotImplementedError

    def colour(self, code: int) -> QColor:
        """Of a class."""
        return QColor(self._colours.get(code, "#808080"))

    def _label(
        self, painter: QPainter, area: QRectF, across: tuple[float, float], up: tuple[float, float], title: str
    ) -> None:
        painter.setPen(QPen(self.palette().windowText().color()))
        left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        beside = (up[1], area.top()), (up[0], area.bottom() - _LINE)
        below = (across[0], area.left(), left), (across[1], area.right() - _WIDE, right)
        for value, y in beside:
            painter.drawText(QRectF(0, y, _LEFT - 4, _LINE), f"{value:.4g}", QTextOption(right))
        for value, x, side in below:
            painter.drawText(QRectF(x, area.bottom() + 2, _WIDE, _LINE), f"{value:.4g}", QTextOption(side))
        middle = QRectF(area.left(), area.bottom() + 2, area.width(), _LINE)
        painter.drawText(middle, title, QTextOption(Qt.AlignmentFlag.AlignHCenter))


class BandPlot(ClassPlot):
    """The mean of each class over the bands of one raster, with its standard deviation as a band around it."""

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.raster = ""

    def show_raster(self, name: str) -> None:
        """Show the bands of this raster."""
        self.raster = name
        self.update()

    def draw(self, painter: QPainter, area: QRectF) -> tuple[tuple[float, float], tuple[float, float], str]:
        """Lines over wavelengths where all bands have one, else over their numbers."""
        found = self._statistics
        places = [number for number, band in enumerate(found.bands) if band.raster == self.raster]
        if not places:
            return (0.0, 1.0), (0.0, 1.0), ""
        known = [found.bands[place].wavelength for place in places]
        waves = [wave for wave in known if wave is not None]
        told = len(waves) == len(places) and len(places) > 1
        across = np.array(waves if told else range(1, len(places) + 1), float)
        order = np.argsort(across, kind="stable")
        places, across = [places[number] for number in order], across[order]
        means, spread = found.means[:, places], found.deviations[:, places]
        wide, up = _range(across), _range(np.concatenate([means - spread, means + spread]))
        for row, label in enumerate(found.classes):
            colour = self.colour(label.code)
            upper, lower = (
                [_at(area, wide, up, x, y) for x, y in zip(across, means[row] + sign * spread[row])] for sign in (1, -1)
            )
            if len(places) == 1:
                upper = [point + QPointF(shift, 0) for point in upper for shift in (-6, 6)]
                lower = [point + QPointF(shift, 0) for point in lower for shift in (-6, 6)]
            colour.setAlpha(_FILL)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawPolygon(QPolygonF([*upper, *reversed(lower)]))
        for row, label in enumerate(found.classes):
            painter.setPen(QPen(self.colour(label.code), 1.8))
            line = [_at(area, wide, up, x, y) for x, y in zip(across, means[row])]
            if len(line) == 1:
                line = [line[0] - QPointF(6, 0), line[0] + QPointF(6, 0)]
            painter.drawPolyline(QPolygonF(line))
        return wide, up, tr("wavelength, nm") if told else tr("band")


class ScatterPlot(ClassPlot):
    """Some pixels of each class, one band against another."""

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.across, self.up = 0, 1

    def show_bands(self, across: int, up: int) -> None:
        """Show these bands, by their numbers from 0."""
        self.across, self.up = across, up
        self.update()

    def draw(self, painter: QPainter, area: QRectF) -> tuple[tuple[float, float], tuple[float, float], str]:
        """A dot a pixel."""
        found = self._statistics
        across, up = (min(max(place, 0), len(found.bands) - 1) for place in (self.across, self.up))
        everything = np.concatenate(found.sample)
        wide, high = _range(everything[:, across]), _range(everything[:, up])
        for label, values in zip(found.classes, found.sample):
            colour = self.colour(label.code)
            colour.setAlpha(_DOT)
            painter.setPen(QPen(colour, 3.0, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            dots = [_at(area, wide, high, x, y) for x, y in zip(values[:, across], values[:, up])]
            painter.drawPoints(QPolygonF(dots))
        return wide, high, found.bands[across].band


def _range(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    free = (high - low) * _EDGE or 0.5
    return low - free, high + free


def _at(area: QRectF, wide: tuple[float, float], up: tuple[float, float], x: float, y: float) -> QPointF:
    right = (x - wide[0]) / (wide[1] - wide[0])
    above = (y - up[0]) / (up[1] - up[0])
    return QPointF(area.left() + right * area.width(), area.bottom() - above * area.height())
