"""The classes of a layer of samples live in the layer: its categorised style holds code, name and colour of each.

Of a class field of texts that are no codes a class's text is its name, and codes count from 1 by name, as in training.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qgis.core import (
    NULL,
    QgsCategorizedSymbolRenderer,
    QgsEditorWidgetSetup,
    QgsFeatureRequest,
    QgsRendererCategory,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QVariant

from ...model.shared.infos import HIGHEST_CODE, ClassInfo
from ...model.shared.text import short_name
from ..raster.samples.classes import CODE_FIELD, code_in, text_of
from ..translation import tr
from .palette import free_colour
from .sample_style import class_symbol, no_class_symbol, style_samples


def read_classes(layer: QgsVectorLayer, field: str) -> tuple[ClassInfo, ...]:
    """The classes in the layer's legend, in its order; where it has none, those that polygons have."""
    renderer = layer.renderer()
    if isinstance(renderer, QgsCategorizedSymbolRenderer) and renderer.classAttribute().strip('"') == field:
        rows = [
            (value, category.label(), category.symbol().color().name())
            for category in renderer.categories()
            for value in _values(category)
        ]
    else:
        rows = [(value, "", "") for value in _values_of_polygons(layer, field)]
    numbers = not holds_names(layer, field) or all(code_in(text_of(value)) is not None for value, _, _ in rows)
    by_name = sorted({text_of(value) for value, _, _ in rows})
    taken = {colour for _, _, colour in rows if colour}
    classes: dict[int, ClassInfo] = {}
    for position, (value, label, colour) in enumerate(rows):
        code = code_in(text_of(value)) if numbers else by_name.index(text_of(value)) + 1
        if code is None or code in classes:
            continue
        colour = colour or free_colour(taken, position)
        taken.add(colour)
        name = label if numbers else text_of(value)
        classes[code] = ClassInfo(code, short_name(name) or str(code), colour)
    return tuple(classes.values())


def write_classes(layer: QgsVectorLayer, field: str, classes: Sequence[ClassInfo]) -> None:
    """Show these classes in the layer's legend, and offer them in its form."""
    if field == CODE_FIELD and layer.fields().lookupField(CODE_FIELD) >= 0:
        style_samples(layer, classes)
    else:
        names = holds_names(layer, field) and not all(code_in(info.name) is not None for info in classes)
        categories = [
            QgsRendererCategory(info.name if names else info.code, class_symbol(info.colour), info.name)
            for info in classes
        ]
        categories.append(QgsRendererCategory(None, no_class_symbol(), tr("no class")))
        layer.setRenderer(QgsCategorizedSymbolRenderer(field, categories))
        choices = [{info.name: info.name if names else info.code} for info in classes]
        layer.setEditorWidgetSetup(
            layer.fields().lookupField(field), QgsEditorWidgetSetup("ValueMap", {"map": choices})
        )
    layer.triggerRepaint()
    layer.emitStyleChanged()


def holds_names(layer: QgsVectorLayer, field: str) -> bool:
    """Whether a class field holds texts, which may be names."""
    return bool(layer.fields().at(layer.fields().lookupField(field)).type() == QVariant.String)


def free_code(classes: Sequence[ClassInfo]) -> int:
    """The code after the highest one, or the lowest that is free."""
    codes = {info.code for info in classes}
    highest = max(codes, default=0) + 1
    return highest if highest <= HIGHEST_CODE else next(code for code in range(1, HIGHEST_CODE) if code not in codes)


def _values(category: QgsRendererCategory) -> list[Any]:
    """What a category stands for; the one for all others and the one for no class are no classes."""
    value = category.value()
    values = value if isinstance(value, (list, tuple)) else [value]
    return [one for one in values if one is not None and one != NULL and text_of(one)]


def _values_of_polygons(layer: QgsVectorLayer, field: str) -> list[Any]:
    place = layer.fields().lookupField(field)
    request = QgsFeatureRequest().setFlags(QgsFeatureRequest.Flag.NoGeometry).setSubsetOfAttributes([place])
    values = {feature.attribute(place) for feature in layer.getFeatures(request)}
    return sorted((value for value in values if value is not None and value != NULL and text_of(value)), key=text_of)
