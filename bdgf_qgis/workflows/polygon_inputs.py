"""Polygons that the user picked, as plain values of their layer; what may be wrong with it, and its files."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Optional, Union

from qgis.core import (
    NULL,
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsFeatureRequest,
    QgsField,
    QgsGeometry,
    QgsMapLayer,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSource,
    QgsProject,
    QgsProviderRegistry,
    QgsVectorLayer,
    QgsVirtualLayerDefinition,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QUrl, QVariant

from ...model.shared.text import plain_text, short_name
from ..raster.reading.opening import files_of_vector
from ..raster.samples.classes import CODE_FIELD, ROLE_FIELD, text_codes
from ..raster.samples.shapes import ROLES, TRAIN, Polygon, Value, outlines
from ..style.legend import Legend, key_of, legend_of
from ..translation import tr

DEFAULT_CLASS_FIELD = CODE_FIELD  # chosen at first
_Source = Union[QgsProcessingFeatureSource, QgsVectorLayer]
_NUMBERS_AND_TEXTS = (
    QVariant.Int,
    QVariant.UInt,
    QVariant.LongLong,
    QVariant.ULongLong,
    QVariant.Double,
    QVariant.String,
)


@dataclass(frozen=True)
class DrawnPolygons:
    """Polygons with their classes, as plain values of their layer.

    crs_wkt  of their coordinates; '' without one
    field    name of the class field, '' without classes
    legend, files, layer  the layer's legend, files and name
    """

    polygons: tuple[Polygon, ...]
    crs_wkt: str
    field: str
    legend: Legend = dataclasses.field(default_factory=dict)
    files: tuple[str, ...] = ()
    layer: str = ""


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
    return "" if source is None else _layer_problem(source, *fields)


def polygons_of(
    algorithm: QgsProcessingAlgorithm,
    parameters: dict[str, Any],
    context: QgsProcessingContext,
    key: str,
    class_field: str = "",
    name_field: str = "",
) -> DrawnPolygons:
    """The polygons of a layer: its selection, filter and unsaved edits count.

    Raises QgsProcessingException, naming the layer, where it cannot be read, holds no polygons, or lacks a field.
    """
    source = algorithm.parameterAsSource(parameters, key, context)
    if source is None:
        raise QgsProcessingException(algorithm.invalidSourceError(parameters, key))
    problem = _layer_problem(source, class_field, name_field)
    if problem:
        raise QgsProcessingException(problem)
    wkt = _wkt(source.sourceCrs())
    layer = algorithm.parameterAsVectorLayer(parameters, key, context)
    legend = legend_of(layer, [class_field, name_field]) if class_field else {}
    # broken geometry is repaired later, and what cannot be repaired is listed
    unchecked = QgsProcessingFeatureSource.FlagSkipGeometryValidityChecks
    features = source.getFeatures(QgsFeatureRequest(), unchecked)
    polygons = tuple(_polygon(feature, class_field, name_field) for feature in features)
    anything = QgsWkbTypes.geometryType(source.wkbType()) == QgsWkbTypes.UnknownGeometry
    if anything and polygons and not any(outlines(polygon.wkb) for polygon in polygons):
        raise QgsProcessingException(_no_polygons(source.sourceName()))
    if not name_field:
        polygons = _named(polygons, legend)
    files, name = layer_files(layer, context), short_name(source.sourceName())
    return DrawnPolygons(polygons, wkt, plain_text(class_field), legend, files, name)


def _wkt(crs: QgsCoordinateReferenceSystem) -> str:
    """The CRS as WKT; '' without one, also where a GeoPackage says in so many words that it has none."""
    wkt = str(crs.toWkt(QgsCoordinateReferenceSystem.WKT_PREFERRED_GDAL)) if crs.isValid() else ""
    return "" if wkt.partition("[")[2].lower().startswith('"undefined') else wkt


def polygons_of_layer(layer: QgsVectorLayer, class_field: str, project: QgsProject) -> DrawnPolygons:
    """All polygons of a layer that is being drawn in, edits that are not saved among them, whatever is selected.

    Raises QgsProcessingException, naming the layer, where it holds no polygons or lacks the field.
    """
    problem = _layer_problem(layer, class_field)
    if problem:
        raise QgsProcessingException(problem)
    legend = legend_of(layer, [class_field])
    polygons = tuple(_polygon(feature, class_field, "") for feature in layer.getFeatures())
    context = QgsProcessingContext()
    context.setProject(project)
    name = short_name(layer.name())
    return DrawnPolygons(
        _named(polygons, legend), _wkt(layer.crs()), plain_text(class_field), legend, layer_files(layer, context), name
    )


def _polygon(feature: QgsFeature, class_field: str, name_field: str) -> Polygon:
    geometry = feature.geometry()
    if not geometry.isNull() and geometry.constGet().hasCurvedSegments():
        geometry = QgsGeometry(geometry.constGet().segmentize())
    wkb = b"" if geometry.isNull() else bytes(geometry.asWkb())
    value = _value(feature[class_field]) if class_field else None
    name = _value(feature[name_field]) if name_field else None
    place = feature.fields().lookupField(ROLE_FIELD)
    role = str(feature.attribute(place)).strip().lower() if place >= 0 else TRAIN
    return Polygon(feature.id(), wkb, value, None if name is None else str(name), role if role in ROLES else TRAIN)


def _named(polygons: tuple[Polygon, ...], legend: Legend) -> tuple[Polygon, ...]:
    """The polygons with the legend's names of their codes; a text that is no code is its own name."""
    texts = any(isinstance(polygon.value, str) for polygon in polygons)
    if not legend or (texts and text_codes(polygon.value for polygon in polygons) is None):
        return polygons
    labels = {key: entry.label for key, entry in legend.items()}
    return tuple(dataclasses.replace(polygon, name=labels.get(key_of(polygon.value))) for polygon in polygons)


def _value(value: Any) -> Value:
    """As it is; texts without what nobody can see, since log, report and model file show them."""
    if value is None or value == NULL:
        return None
    return plain_text(value) if isinstance(value, str) else value


def _layer_problem(source: _Source, class_field: str = "", name_field: str = "") -> str:
    """The same of a layer that is open, and of fields by their names, '' where one is not wanted."""
    return (
        _geometry_problem(source)
        or _field_problem(source, class_field, tr("classes"), tr("choose a field of whole numbers or texts"))
        or _field_problem(source, name_field, tr("names"), tr("choose a field of texts, or none"))
    )


def _no_polygons(layer: str) -> str:
    """What is wrong where a layer that may hold anything holds no polygon."""
    return tr("The layer '{layer}' has no polygon among its features: draw polygons.").format(layer=layer)


def _geometry_problem(source: _Source) -> str:
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


def _field_problem(source: _Source, name: str, wanted: str, advice: str) -> str:
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


def layer_files(layer: Optional[QgsMapLayer], context: QgsProcessingContext) -> tuple[str, ...]:
    """Files of a vector layer, of layers that are joined to it, and of those that a virtual layer draws from.

    A layer in memory or on a server has none.
    """
    files: dict[str, None] = {}
    seen: set[str] = set()
    waiting = [layer]
    while waiting:
        current = waiting.pop()
        if current is None or current.id() in seen:
            continue
        seen.add(current.id())
        if isinstance(current, QgsVectorLayer):
            waiting += [join.joinLayer() for join in current.vectorJoins()]
        if current.providerType() == "virtual":
            waiting += _sources(current, context)
        else:
            path = str(
                QgsProviderRegistry.instance().decodeUri(current.providerType(), current.source()).get("path") or ""
            )
            files.update(dict.fromkeys(files_of_vector(path) if path else ()))
    return tuple(files)


def _sources(layer: QgsMapLayer, context: QgsProcessingContext) -> Iterator[Optional[QgsMapLayer]]:
    for source in QgsVirtualLayerDefinition.fromUrl(QUrl(layer.source())).sourceLayers():
        if source.isReferenced():
            yield context.getMapLayer(source.reference())
        else:
            yield QgsVectorLayer(source.source(), source.name(), source.provider())
