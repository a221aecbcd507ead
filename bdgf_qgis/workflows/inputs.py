"""What the user picked, as plain values: taken from layers in prepare, since the run may be in another thread."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Optional

from qgis.core import (
    NULL,
    QgsCoordinateReferenceSystem,
    QgsFeatureRequest,
    QgsGeometry,
    QgsMapLayer,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSource,
    QgsRasterLayer,
    QgsRectangle,
    QgsWkbTypes,
)

from ...model.shared.header import Header
from ...model.shared.infos import MOST_CHANNELS, MOST_MODALITIES
from ...model.shared.text import plain_text, short_name
from ..raster.errors import RasterError
from ..raster.gdal_calls import gdal_errors
from ..raster.grid import Grid, Window
from ..raster.reading.opening import check_variables
from ..raster.reading.projection import longitudes_on
from ..raster.reading.raster import Raster, check_no_result, describe
from ..raster.samples.classes import text_codes
from ..raster.samples.shapes import Polygon, Value, outlines
from ..style.legend import Legend, key_of, legend_of
from ..translation import tr
from .layer_files import layer_files
from .matching import Match, match_modalities
from .nodata_text import nodata_values
from .polygon_layers import layer_problem, no_polygons
from .reference_grid import finest, nearest


@dataclass(frozen=True)
class Rasters:
    """The rasters of a scene.

    modalities  one a modality, in the order given
    grid        the raster that gives the reference grid
    crs         of its layer
    match       how they fit the model that is to map them
    """

    modalities: tuple[Raster, ...]
    grid: Raster
    crs: QgsCoordinateReferenceSystem
    match: Optional[Match] = None

    @property
    def files(self) -> list[str]:
        """The files that hold them."""
        return [file for raster in (*self.modalities, self.grid) for file in raster.files]


@dataclass(frozen=True)
class Samples:
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


def rasters_of(
    algorithm: QgsProcessingAlgorithm,
    parameters: dict[str, Any],
    context: QgsProcessingContext,
    header: Optional[Header] = None,
) -> Rasters:
    """MODALITIES, GRID and NODATA; with the header of a model to map with, matched to it.

    Without GRID the finest raster rules, or that which is nearest to the model's training in pixel size.

    Raises QgsProcessingException, naming the layer, where one cannot be read by GDAL; RasterError where one cannot be
    used, or none fits the model.
    """
    layers = _layers(algorithm, parameters, context)
    chosen = raster_layer(algorithm, parameters, "GRID", context)
    rasters = _described([*layers, *([] if chosen is None else [chosen])])
    given, nodata = rasters[: len(layers)], algorithm.parameterAsString(parameters, "NODATA", context)
    match = None if header is None else match_scene(given, header, nodata)
    if header is None:
        values = nodata_values([raster.name for raster in given], nodata)
        given = [raster.with_nodata(own) for raster, own in zip(given, values)]
    if chosen is not None:
        return Rasters(tuple(given), rasters[-1], chosen.crs(), match)
    place = given.index(finest(given)) if match is None or header is None else reference_place(match, header)
    return Rasters(tuple(given), given[place], layers[place].crs(), match)


def match_scene(rasters: Sequence[Raster], header: Header, nodata: str) -> Match:
    """How rasters fit a model, with additional no-data values as they were typed in. Raises RasterError."""
    match = match_modalities(rasters, header.modalities)
    names = [raster.name for raster in match.rasters]
    values = nodata_values(names, nodata, [modality.name for modality in header.modalities])
    known = tuple(raster.with_nodata(own) for raster, own in zip(match.rasters, values))
    return dataclasses.replace(match, rasters=known)


def reference_place(match: Match, header: Header) -> int:
    """Which of the rasters that were given rules where nobody chose one."""
    return match.order[match.rasters.index(nearest(match.rasters, header))]


def rasters_problem(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext, components: int = 0
) -> str:
    """What is wrong with MODALITIES or GRID.

    '' where every raster is there, none is a result of ours, and a model can hold them: one that makes at most
    `components` channels of a raster's bands; 0 where it is no new model.
    """
    try:
        layers = _layers(algorithm, parameters, context)
        if len(layers) > MOST_MODALITIES:
            text = tr("{count} rasters were chosen, and a model takes {most} at most: choose fewer.")
            raise RasterError(text.format(count=len(layers), most=MOST_MODALITIES))
        rasters = _described(layers)
        check_no_result(rasters)
        channels = sum(min(len(raster.data), components) for raster in rasters) if components else 0
        if channels > MOST_CHANNELS:
            text = tr(
                "The bands of {count} rasters become up to {channels} channels, and a model takes {most} at most: "
                "choose fewer rasters."
            )
            raise RasterError(text.format(count=len(layers), channels=f"{channels:,}", most=f"{MOST_CHANNELS:,}"))
        raster_layer(algorithm, parameters, "GRID", context)
    except (QgsProcessingException, RasterError) as error:
        return str(error)
    return ""


def _layers(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext
) -> list[QgsMapLayer]:
    """MODALITIES one by one: of a list QGIS silently leaves out what it cannot load."""
    value = parameters.get("MODALITIES")
    layers: list[QgsMapLayer] = []
    for entry in value if isinstance(value, (list, tuple)) else [value]:
        with _loading():
            loaded = algorithm.parameterAsLayerList({**parameters, "MODALITIES": [entry]}, "MODALITIES", context)
        if not loaded and entry not in (None, ""):
            check_variables(str(entry))
            text = tr("The raster {name} cannot be loaded: check that the file is there and is a raster.")
            raise QgsProcessingException(text.format(name=entry))
        layers += loaded
    if not layers:
        raise QgsProcessingException(tr("No raster was chosen: choose one or more rasters of one place."))
    return layers


def _loading() -> AbstractContextManager[object]:
    """Keeps to itself what GDAL says while QGIS loads a layer and looks for the range of its values."""
    return gdal_errors(tr("A raster cannot be loaded"))


def raster_layer(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], key: str, context: QgsProcessingContext
) -> Optional[QgsRasterLayer]:
    """The layer of a raster parameter, None where it was left empty.

    Raises QgsProcessingException where it cannot be loaded, RasterError where it holds several variables.
    """
    with _loading():
        layer = algorithm.parameterAsRasterLayer(parameters, key, context)
    value = parameters.get(key)
    if layer is None and value not in (None, ""):
        check_variables(str(value))
        raise QgsProcessingException(algorithm.invalidRasterError(parameters, key))
    return layer


def raster_of(layer: Any) -> Raster:
    """The raster of a layer, described. Raises RasterError where it cannot be used."""
    return _described([layer])[0]


def _described(layers: Sequence[Any]) -> list[Raster]:
    """The rasters of layers; one that stands among them twice is opened once."""
    shown = [_shown(layer) for layer in layers]
    known = {each: describe(*each) for each in dict.fromkeys(shown)}
    return [known[each] for each in shown]


def _shown(layer: Any) -> tuple[str, str, tuple[tuple[float, float], ...], bool, str]:
    """What describe() takes: path and name, and the no-data values and the CRS that the layer's properties add."""
    if not isinstance(layer, QgsRasterLayer) or layer.providerType() != "gdal":
        check_variables(layer.source())  # such a file may have been loaded as a mesh
        text = tr("The layer '{name}' is no raster that GDAL can read: save a web layer to a file first.")
        raise QgsProcessingException(text.format(name=layer.name()))
    provider = layer.dataProvider()
    added = {
        (each.min(), each.max()) for band in range(1, layer.bandCount() + 1) for each in provider.userNoDataValues(band)
    }
    path = layer.source().split("|option:")[0]
    given = layer.crs() if layer.crs().isValid() and layer.crs() != provider.crs() else None
    wkt = given.toWkt(QgsCoordinateReferenceSystem.WKT_PREFERRED_GDAL) if given else ""
    # QGIS uses none where it cannot hold it, as -128 in a signed byte: nobody switched that off
    own_nodata = provider.useSourceNoDataValue(1) or not provider.sourceHasNoDataValue(1)
    return path, short_name(layer.name()), tuple(sorted(added)), own_nodata, wkt


def samples_of(
    algorithm: QgsProcessingAlgorithm,
    parameters: dict[str, Any],
    context: QgsProcessingContext,
    key: str,
    class_field: str = "",
    name_field: str = "",
) -> Samples:
    """The polygons of a layer: its selection, filter and unsaved edits count.

    Raises QgsProcessingException, naming the layer, where it cannot be read, holds no polygons, or lacks a field.
    """
    source = algorithm.parameterAsSource(parameters, key, context)
    if source is None:
        raise QgsProcessingException(algorithm.invalidSourceError(parameters, key))
    problem = layer_problem(source, class_field, name_field)
    if problem:
        raise QgsProcessingException(problem)
    wkt = _wkt(source.sourceCrs())
    layer = algorithm.parameterAsVectorLayer(parameters, key, context)
    legend = legend_of(layer, [class_field, name_field]) if class_field else {}
    polygons = tuple(_polygons(source, class_field, name_field))
    anything = QgsWkbTypes.geometryType(source.wkbType()) == QgsWkbTypes.UnknownGeometry
    if anything and polygons and not any(outlines(polygon.wkb) for polygon in polygons):
        raise QgsProcessingException(no_polygons(source.sourceName()))
    if not name_field:
        polygons = _named(polygons, legend)
    files, name = layer_files(layer, context), short_name(source.sourceName())
    return Samples(polygons, wkt, plain_text(class_field), legend, files, name)


def _wkt(crs: QgsCoordinateReferenceSystem) -> str:
    """The CRS as WKT; '' without one, also where a GeoPackage says in so many words that it has none."""
    wkt = str(crs.toWkt(QgsCoordinateReferenceSystem.WKT_PREFERRED_GDAL)) if crs.isValid() else ""
    return "" if wkt.partition("[")[2].lower().startswith('"undefined') else wkt


def _polygons(source: QgsProcessingFeatureSource, class_field: str, name_field: str) -> Iterable[Polygon]:
    request = QgsFeatureRequest()
    # broken geometry is repaired later, and what cannot be repaired is listed
    for feature in source.getFeatures(request, QgsProcessingFeatureSource.FlagSkipGeometryValidityChecks):
        geometry = feature.geometry()
        if not geometry.isNull() and geometry.constGet().hasCurvedSegments():
            geometry = QgsGeometry(geometry.constGet().segmentize())
        wkb = b"" if geometry.isNull() else bytes(geometry.asWkb())
        value = _value(feature[class_field]) if class_field else None
        name = _value(feature[name_field]) if name_field else None
        yield Polygon(feature.id(), wkb, value, None if name is None else str(name))


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


def optional_integer(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], key: str, context: QgsProcessingContext
) -> Optional[int]:
    """A whole number, or None where it was left empty."""
    return None if parameters.get(key) is None else algorithm.parameterAsInt(parameters, key, context)


def window_of(extent: QgsRectangle, grid: Grid) -> Optional[Window]:
    """The grid pixels of an extent in the grid's CRS; None for an extent left empty.

    Raises RasterError where it holds no pixel of the grid.
    """
    if extent.isNull():
        return None
    west, east = longitudes_on(extent.xMinimum(), extent.xMaximum(), grid)
    window = grid.window_of_extent(west, extent.yMinimum(), east, extent.yMaximum()).intersection(grid.window)
    if window.empty:
        raise RasterError(tr("The extent holds no pixel of the grid: choose one over the rasters, or none."))
    return window
