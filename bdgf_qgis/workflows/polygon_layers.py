"""What is wrong with a layer that was given for polygons, or with its fields, before anything is read of it."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsField,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingFeatureSource,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QVariant

from ..translation import tr

_NUMBERS_AND_TEXTS = (
    QVariant.Int,
    QVariant.UInt,
    QVariant.LongLong,
    QVariant.ULongLong,
    QVariant.Double,
    QVariant.String,
)


def polygons_problem(
    algorithm: QgsProcessingAlgorithm,
    parameters: dict[str, Any],
    context: QgsProcessingContext,
    key: str,
    class_key: str = "",
    name_key: str = "",
) -> str:
    """What is wrong with a layer of polygons and the fields chosen of it, '' where nothing is or none was chosen."""
    if parameters.get(key) in (None, ""):
        return ""
    source = algorithm.parameterAsSource(parameters, key, context)
    fields = [algorithm.parameterAsString(parameters, own, context) if own else "" for own in (class_key, name_key)]
    return "" if source is None else layer_problem(source, *fields)


def layer_problem(source: QgsProcessingFeatureSource, class_field: str = "", name_field: str = "") -> str:
    """The same of a layer that is open, and of fields by their names, '' where one is not wanted."""
    return (
        _geometry_problem(source)
        or _field_problem(source, class_field, tr("classes"), tr("choose a field of whole numbers or texts"))
        or _field_problem(source, name_field, tr("names"), tr("choose a field of texts, or none"))
    )


def no_polygons(layer: str) -> str:
    """What is wrong where a layer that may hold anything holds no polygon."""
    return tr("The layer '{layer}' has no polygon among its features: draw polygons.").format(layer=layer)


def _geometry_problem(source: QgsProcessingFeatureSource) -> str:
    kind = QgsWkbTypes.geometryType(source.wkbType())
    texts = {
        QgsWkbTypes.PointGeometry: tr(
            "The layer '{layer}' has points: draw polygons, or make some of the points with Vector > Geoprocessing "
            "Tools > Buffer."
        ),
        QgsWkbTypes.LineGeometry: tr(
            "The layer '{layer}' has lines: draw polygons, or make some of the lines with Vector > Geoprocessing "
            "Tools > Buffer."
        ),
        QgsWkbTypes.NullGeometry: tr("The layer '{layer}' is a table without geometry: choose a layer of polygons."),
    }
    return texts.get(kind, "").format(layer=source.sourceName())


def _field_problem(source: QgsProcessingFeatureSource, name: str, wanted: str, advice: str) -> str:
    if not name:
        return ""
    fields = source.fields()
    place = fields.lookupField(name)
    if place < 0:
        text = tr("The layer '{layer}' has no field '{field}': choose one of {fields}.")
        return text.format(layer=source.sourceName(), field=name, fields=", ".join(fields.names()))
    if fields.at(place).type() in _NUMBERS_AND_TEXTS:
        return ""
    others = [field.name() for field in fields if field.type() in _NUMBERS_AND_TEXTS]
    text = tr("The field '{field}' of the layer '{layer}' holds {kind}, not {wanted}: {advice}")
    said = text.format(
        field=name, layer=source.sourceName(), kind=_kind(fields.at(place)), wanted=wanted, advice=advice
    )
    return f"{said} ({', '.join(others)})." if others else f"{said}."


def _kind(field: QgsField) -> str:
    kinds = {
        QVariant.Date: tr("dates"),
        QVariant.DateTime: tr("dates with times"),
        QVariant.Time: tr("times"),
        QVariant.Bool: tr("true and false"),
        QVariant.ByteArray: tr("binary data"),
        QVariant.List: tr("lists"),
        QVariant.StringList: tr("lists"),
        QVariant.Map: tr("JSON"),
    }
    return kinds.get(field.type()) or field.typeName() or tr("something else")
