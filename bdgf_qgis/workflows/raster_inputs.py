"""Rasters that the user picked, described: taken from layers in prepare, since the run may be in another thread."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Optional

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsMapLayer,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsRasterLayer,
    QgsRectangle,
)

from ...model.shared.header import Header
from ...model.shared.infos import MOST_CHANNELS, MOST_MODALITIES
from ...model.shared.text import short_name
from ..raster.errors import RasterError
from ..raster.gdal_calls import gdal_errors
from ..raster.grid import Grid, Window
from ..raster.reading.opening import check_variables
from ..raster.reading.projection import longitudes_on
from ..raster.reading.raster import Raster, check_no_result, describe
from ..raster.texts import quoted
from ..translation import tr
from .matching import Match, finest, match_modalities, nearest

_MOST_NUMBERS = 20  # of one entry of no-data values


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


def rasters_of(
    algorithm: QgsProcessingAlgorithm,
    parameters: dict[str, Any],
    context: QgsProcessingContext,
    header: Optional[Header] = None,
) -> Rasters:
    """MODALITIES, GRID and NODATA, described; with the header of a model to map with, matched to it.

    Without GRID the finest raster rules, or that which is nearest to the model's training in pixel size.

    Raises QgsProcessingException, naming the layer, where one cannot be read by GDAL; RasterError where one cannot be
    used, or none fits the model.
    """
    layers = _layers(algorithm, parameters, context)
    chosen = raster_layer(algorithm, parameters, "GRID", context)
    rasters = _described([*layers, *([] if chosen is None else [chosen])])
    given, nodata = rasters[: len(layers)], algorithm.parameterAsString(parameters, "NODATA", context)
    match = None if header is None else match_scene(given, header, nodata)
    if match is None:
        values = nodata_values([raster.name for raster in given], nodata)
        given = [raster.with_nodata(own) for raster, own in zip(given, values)]
    if chosen is not None:
        return Rasters(tuple(given), rasters[-1], chosen.crs(), match)
    place = given.index(finest(given)) if match is None else match.reference
    return Rasters(tuple(given), given[place], layers[place].crs(), match)


def rasters_of_layers(layers: Sequence[QgsRasterLayer]) -> Rasters:
    """The rasters of layers, described; the finest gives the reference grid.

    Raises QgsProcessingException, naming the layer, where one cannot be read by GDAL; RasterError where one cannot be
    used, or is a result of ours.
    """
    rasters = _described(layers)
    check_no_result(rasters)
    place = rasters.index(finest(rasters))
    return Rasters(tuple(rasters), rasters[place], layers[place].crs())


def match_scene(rasters: Sequence[Raster], header: Header, nodata: str) -> Match:
    """How rasters fit a model, with additional no-data values as they were typed in. Raises RasterError."""
    match = match_modalities(rasters, header.modalities)
    names = [raster.name for raster in match.rasters]
    values = nodata_values(names, nodata, [modality.name for modality in header.modalities])
    known = tuple(raster.with_nodata(own) for raster, own in zip(match.rasters, values))
    reference = match.order[known.index(nearest(known, header))]
    return dataclasses.replace(match, rasters=known, reference=reference)


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
    known = {values: describe(*values) for values in dict.fromkeys(shown)}
    return [known[values] for values in shown]


def _shown(layer: Any) -> tuple[str, str, tuple[tuple[float, float], ...], bool, str]:
    """What describe() takes: path and name, and the no-data values and the CRS that the layer's properties add."""
    if not isinstance(layer, QgsRasterLayer) or layer.providerType() != "gdal":
        check_variables(layer.source())  # such a file may have been loaded as a mesh
        text = tr("The layer '{name}' is no raster that GDAL can read: save a web layer to a file first.")
        raise QgsProcessingException(text.format(name=layer.name()))
    provider = layer.dataProvider()
    added = {
        (values.min(), values.max())
        for band in range(1, layer.bandCount() + 1)
        for values in provider.userNoDataValues(band)
    }
    path = layer.source().split("|option:")[0]
    given = layer.crs() if layer.crs().isValid() and layer.crs() != provider.crs() else None
    wkt = given.toWkt(QgsCoordinateReferenceSystem.WKT_PREFERRED_GDAL) if given else ""
    # QGIS uses none where it cannot hold it, as -128 in a signed byte: nobody switched that off
    own_nodata = provider.useSourceNoDataValue(1) or not provider.sourceHasNoDataValue(1)
    return path, short_name(layer.name()), tuple(sorted(added)), own_nodata, wkt


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


def nodata_values(names: Sequence[str], text: str, aliases: Sequence[str] = ()) -> tuple[tuple[float, ...], ...]:
    """The values that a text such as '-9999; dsm: 0 -32768' adds as no data, for each of the rasters of some names.

    Entries are parted by semicolons, numbers by blanks or commas; a name before a colon keeps them to that raster.

    Args:
        names: of the rasters.
        text: what was typed in.
        aliases: further names of the same rasters, in their order.

    Raises RasterError where an entry holds no number or names no raster.
    """
    known = [{name.casefold()} for name in names]
    for own, alias in zip(known, aliases):
        own.add(alias.casefold())
    values: list[tuple[float, ...]] = [()] * len(names)
    for entry in filter(None, map(str.strip, text.split(";"))):
        name, _, numbers = entry.rpartition(":")
        added = _numbers(numbers, entry)
        wanted = name.strip().casefold()
        places = [place for place, own in enumerate(known) if not wanted or wanted in own]
        if not places:
            message = tr("Additional no-data values: there is no raster '{name}' among {rasters}.")
            raise RasterError(message.format(name=name.strip(), rasters=quoted([*names, *aliases])))
        for place in places:
            values[place] += tuple(added)
    return tuple(values)


def nodata_note(rasters: Iterable[Raster]) -> str:
    """A line for the log on what is taken for no data beside what rasters declare; '' where nothing is."""
    named = [
        f"'{raster.name}': {' '.join(f'{value:g}' for value in raster.added)}" for raster in rasters if raster.added
    ]
    return tr("Additional no-data values of {rasters}.").format(rasters="; ".join(named)) if named else ""


def _numbers(numbers: str, entry: str) -> list[float]:
    try:
        values = list(map(float, numbers.replace(",", " ").split()))
    except ValueError:
        values = []
    if not 1 <= len(values) <= _MOST_NUMBERS or not all(map(math.isfinite, values)):
        message = tr("Additional no-data values: '{entry}' is no short list of numbers as in -9999 or dsm: -9999 0.")
        raise RasterError(message.format(entry=entry))
    return values
