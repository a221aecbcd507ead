"""Style of suggested samples: a ring in the colour of the map's class, and the rank beside it."""

from __future__ import annotations

from collections.abc import Sequence

from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsExpression,
    QgsMarkerSymbol,
    QgsPalLayerSettings,
    QgsRendererCategory,
    QgsTextBufferSettings,
    QgsTextFormat,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
)
from qgis.PyQt.QtGui import QColor

from ...model.shared.infos import ClassInfo
from ..translation import tr

# Not class_id and class_name: these are what a person says of a place, and here the map speaks.
RANK, CODE, NAME = "rank", "map_code", "map_class"
SECOND_CODE, SECOND_NAME, UNCERTAINTY = "second_code", "second_class", "uncertainty"
_SIZE = "4"  # mm, of the ring; the pixel inside stays in sight


def style_suggestions(layer: QgsVectorLayer, classes: Sequence[ClassInfo]) -> None:
    """Categorise the points by the map's class and label them with their rank."""
    categories = [QgsRendererCategory(info.code, _ring(info.colour), info.name) for info in classes]
    layer.setRenderer(QgsCategorizedSymbolRenderer(CODE, categories))
    layer.setLabeling(QgsVectorLayerSimpleLabeling(_labels()))
    layer.setLabelsEnabled(True)
    names = {
        RANK: tr("rank"),
        NAME: tr("class in the map"),
        SECOND_NAME: tr("second class"),
        UNCERTAINTY: tr("uncertainty"),
    }
    for field, alias in names.items():
        layer.setFieldAlias(layer.fields().lookupField(field), alias)
    rank, name = (QgsExpression.quotedColumnRef(field) for field in (RANK, NAME))
    layer.setDisplayExpression(f"{rank} || ' ' || {name}")


def _ring(colour: str) -> QgsMarkerSymbol:
    """A ring of the colour between two white ones, so that it is seen on any ground."""
    white = {"name": "circle", "size": _SIZE, "color": "0,0,0,0", "outline_color": "white", "outline_width": "1.4"}
    symbol = QgsMarkerSymbol.createSimple(white)
    ring = QgsMarkerSymbol.createSimple({**white, "outline_color": QColor(colour).name(), "outline_width": "0.8"})
    symbol.appendSymbolLayer(ring.symbolLayer(0).clone())
    return symbol


def _labels() -> QgsPalLayerSettings:
    text = QgsTextFormat()
    text.setSize(9)
    buffer = QgsTextBufferSettings()
    buffer.setEnabled(True)
    buffer.setSize(1)
    buffer.setColor(QColor("white"))
    text.setBuffer(buffer)
    settings = QgsPalLayerSettings()
    settings.fieldName = RANK
    settings.dist = 1.5
    settings.setFormat(text)
    return settings
