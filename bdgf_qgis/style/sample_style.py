"""Style and form of a layer of training polygons: a colour a class, and a list of classes to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qgis.core import (
    QgsAttributeEditorField,
    QgsCategorizedSymbolRenderer,
    QgsDefaultValue,
    QgsEditFormConfig,
    QgsEditorWidgetSetup,
    QgsExpression,
    QgsFieldConstraints,
    QgsFillSymbol,
    QgsRendererCategory,
    QgsVectorLayer,
)
from qgis.PyQt.QtGui import QColor

from ...model.shared.infos import ClassInfo
from ..raster.samples.classes import CODE_FIELD, NAME_FIELD, ROLE_FIELD
from ..raster.samples.shapes import IGNORE, TRAIN, VALIDATE
from ..translation import tr
from .stored_style import store_style

_LOUD = "#ff00ff"
_FILL = 110  # of 255, so that the image shows through


def style_samples(layer: QgsVectorLayer, classes: Sequence[ClassInfo]) -> None:
    """Categorise the layer by class_id and make its form a list of classes; class_name follows the choice.

    The form begins with the class, takes the last one again, and keeps no polygon without one. What has none all the
    same, pasted or imported, is hatched.
    """
    categories = [QgsRendererCategory(each.code, class_symbol(each.colour), each.name) for each in classes]
    categories.append(QgsRendererCategory(None, no_class_symbol(), tr("no class")))
    layer.setRenderer(QgsCategorizedSymbolRenderer(CODE_FIELD, categories))
    code = layer.fields().lookupField(CODE_FIELD)
    name = layer.fields().lookupField(NAME_FIELD)
    choices = [{each.name: each.code} for each in classes]
    layer.setEditorWidgetSetup(code, QgsEditorWidgetSetup("ValueMap", {"map": choices}))
    layer.setFieldAlias(code, tr("class"))
    role = layer.fields().lookupField(ROLE_FIELD)
    if role >= 0:
        roles = [{tr("train"): TRAIN}, {tr("validate"): VALIDATE}, {tr("ignore"): IGNORE}]
        layer.setEditorWidgetSetup(role, QgsEditorWidgetSetup("ValueMap", {"map": roles}))
        layer.setDefaultValueDefinition(role, QgsDefaultValue(QgsExpression.quotedValue(TRAIN)))
    layer.setFieldConstraint(code, QgsFieldConstraints.ConstraintNotNull, QgsFieldConstraints.ConstraintStrengthHard)
    layer.setDefaultValueDefinition(name, QgsDefaultValue(_name_expression(classes), True))
    form = layer.editFormConfig()
    form.setReadOnly(name, True)
    form.setReuseLastValue(code, True)
    form.setSuppress(QgsEditFormConfig.SuppressOff)
    form.setLayout(QgsEditFormConfig.TabLayout)
    form.clearTabs()
    root = form.invisibleRootContainer()
    first = [place for place in (code, name, role) if place >= 0]
    for place in (*first, *(other for other in layer.attributeList() if other not in first)):
        root.addChildElement(QgsAttributeEditorField(layer.fields().at(place).name(), place, root))
    layer.setEditFormConfig(form)
    layer.setDisplayExpression(QgsExpression.quotedColumnRef(NAME_FIELD))


def store_sample_style(path: Path, classes: Sequence[ClassInfo], table: str = "") -> str:
    """Store style and form in a GeoPackage as its default; returns why it failed, '' where it did not."""
    return store_style(path, table or path.stem, lambda layer: style_samples(layer, classes))


def class_symbol(colour: str) -> QgsFillSymbol:
    """How polygons of a class look: filled so that the image shows through."""
    fill = QColor(colour)
    fill.setAlpha(_FILL)
    symbol = QgsFillSymbol.createSimple({"outline_width": "0.5"})
    symbol.symbolLayer(0).setFillColor(fill)
    symbol.symbolLayer(0).setStrokeColor(QColor(colour))
    return symbol


def no_class_symbol() -> QgsFillSymbol:
    """How polygons without a class look: hatched, so that nobody misses them."""
    return QgsFillSymbol.createSimple(
        {"style": "diagonal_x", "color": _LOUD, "outline_color": _LOUD, "outline_width": "1", "outline_style": "dash"}
    )


def _name_expression(classes: Sequence[ClassInfo]) -> str:
    cases = " ".join(
        f"WHEN {QgsExpression.quotedColumnRef(CODE_FIELD)} = {each.code} THEN {QgsExpression.quotedValue(each.name)}"
        for each in classes
    )
    return f"CASE {cases} END" if cases else "NULL"
