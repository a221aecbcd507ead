"""Finds where the next samples would teach most: places at which a map is unsure, as a layer of points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Optional

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransformContext,
    QgsFeature,
    QgsField,
    QgsFields,
    QgsGeometry,
    QgsPointXY,
    QgsProcessingException,
    QgsRectangle,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QVariant

from ...model.shared.infos import ClassInfo
from ..feedback import Feedback
from ..files.conflicts import ReadFiles
from ..raster.errors import RasterError
from ..raster.grid import Grid, Window
from ..raster.reading.raster import Raster
from ..raster.samples.candidates import CandidateDraw, ClassCandidates
from ..raster.samples.rasterise import PolygonRaster
from ..raster.samples.shapes import Shape, shapes_of
from ..raster.samples.suggestions import Suggestion, Suggestions, suggest
from ..raster.samples.uncertainty import UncertainMap
from ..raster.texts import listed, rounded
from ..style.palette import free_colour
from ..style.stored_style import store_style
from ..style.suggestion_style import (
    CODE,
    NAME,
    RANK,
    SECOND_CODE,
    SECOND_NAME,
    UNCERTAINTY,
    style_suggestions,
)
from ..translation import tr
from .error_sentences import told_to_user
from .geopackage import write_layer
from .polygon_inputs import DrawnPolygons
from .raster_inputs import window_of
from .result_files import file_result, held_places, placed

_CANDIDATES = 20  # a point wanted, of each class
_LEAST_CANDIDATES = 1_000  # of each class


@dataclass(frozen=True)
class SamplesToSuggest:
    """A map, what says how sure it is, and the points wanted.

    output          the GeoPackage to write
    classification  the class raster
    crs             of its layer; invalid without one
    confidence, probabilities  on the same grid; one of them at least
    count           points wanted
    distance        least distance between points, and to polygons, in map units; None spreads them by itself
    extent          in the CRS of the class raster; null means all of it
    drawn           polygons to keep away from
    seed            another one gives other points of the same kind
    """

    output: str
    classification: Raster
    crs: QgsCoordinateReferenceSystem
    confidence: Optional[Raster] = None
    probabilities: Optional[Raster] = None
    count: int = 30
    distance: Optional[float] = None
    extent: QgsRectangle = field(default_factory=QgsRectangle)
    drawn: Optional[DrawnPolygons] = None
    seed: int = 0

    @property
    def files(self) -> list[str]:
        """Files that are read."""
        rasters = [self.classification, self.confidence, self.probabilities]
        vector = () if self.drawn is None else self.drawn.files
        return [*(file for raster in rasters if raster is not None for file in raster.files), *vector]


def suggest_samples(
    wanted: SamplesToSuggest, transforms: QgsCoordinateTransformContext, feedback: Feedback
) -> tuple[ClassInfo, ...]:
    """Choose points, write the layer, tell the log; returns the classes of the map that have points.

    Raises QgsProcessingException, with what to do, where that fails, no point is found, or the user cancelled; what was
    there stays then.
    """
    with told_to_user():
        reads = ReadFiles(wanted.files)
    with held_places([file_result(wanted.output)], reads, feedback), told_to_user():
        found, grid = _found(wanted, feedback)
        infos = _infos(found.points, wanted.classification)
        _write(wanted, found.points, infos, grid, transforms)
    _tell(wanted, found, infos, feedback)
    feedback.at(1.0)
    return tuple(infos[code] for code in sorted({point.code for point in found.points}))


def _found(wanted: SamplesToSuggest, feedback: Feedback) -> tuple[Suggestions, Grid]:
    pixels = UncertainMap(wanted.classification, wanted.confidence, wanted.probabilities)
    try:
        grid = pixels.grid
        window = _window(wanted, grid)
        drawn = _drawn(wanted, grid, feedback)
        classes = _candidates(pixels, window, drawn, wanted, feedback.part(0.0, 0.9, tr("Reading the map")))
    finally:
        pixels.close()
    if not classes:
        text = tr("'{name}' has no class and no figure of how sure it is at any pixel{where}: choose another one.")
        where = tr(" of the extent outside the polygons") if drawn or not wanted.extent.isNull() else ""
        raise RasterError(text.format(name=wanted.classification.name, where=where))
    choosing = feedback.part(0.9, 0.98, tr("Choosing points"))
    found = suggest(classes, wanted.count, grid, wanted.distance, drawn, choosing)
    if not found.points:
        text = tr(
            "Every pixel of '{name}' lies nearer than {distance} to a polygon of '{layer}': choose a shorter distance."
        )
        layer = "" if wanted.drawn is None else wanted.drawn.layer
        raise RasterError(
            text.format(name=wanted.classification.name, layer=layer, distance=rounded(wanted.distance or 0.0))
        )
    return found, grid


def _window(wanted: SamplesToSuggest, grid: Grid) -> Window:
    """The pixels to choose from."""
    try:
        window = window_of(wanted.extent, grid)
    except RasterError as error:
        text = tr("The extent holds no pixel of '{name}': choose one over that raster, or none.")
        raise RasterError(text.format(name=wanted.classification.name)) from error
    return grid.window if window is None else window


def _drawn(wanted: SamplesToSuggest, grid: Grid, feedback: Feedback) -> tuple[Shape, ...]:
    """The polygons to keep away from, on the grid."""
    if wanted.drawn is None:
        return ()
    found = shapes_of(wanted.drawn.polygons, wanted.drawn.crs_wkt, grid, feedback)
    feedback.warn(*found.notes())
    if bool(wanted.drawn.crs_wkt) != bool(grid.wkt):
        text = tr("Only map or polygons have a coordinate reference system: coordinates are taken as they are.")
        feedback.warn(text)
    return found.shapes


def _candidates(
    pixels: UncertainMap, window: Window, drawn: Sequence[Shape], wanted: SamplesToSuggest, feedback: Feedback
) -> dict[int, ClassCandidates]:
    most = max(_LEAST_CANDIDATES, _CANDIDATES * wanted.count)
    draw = CandidateDraw(most, wanted.seed, name=wanted.classification.name)
    polygons = PolygonRaster(drawn, window, feedback)
    parts = pixels.windows(window)
    for done, part in enumerate(parts, 1):
        feedback.check()
        block = pixels.read(part)
        draw.take(block, ~polygons.mask(part).ravel()[block.place])
        feedback.at(done / len(parts))
    return draw.classes()


def _infos(points: Sequence[Suggestion], classification: Raster) -> dict[int, ClassInfo]:
    """Name and colour of every class that a point names."""
    infos = {info.code: info for info in classification.classes}
    taken = {info.colour for info in classification.classes}
    for number, code in enumerate(sorted({point.code for point in points} - set(infos))):
        infos[code] = ClassInfo(code, str(code), free_colour(taken, number))
        taken.add(infos[code].colour)
    return infos


def _write(
    wanted: SamplesToSuggest,
    points: Sequence[Suggestion],
    infos: Mapping[int, ClassInfo],
    grid: Grid,
    transforms: QgsCoordinateTransformContext,
) -> None:
    fields = QgsFields()
    for name, kind in (
        (RANK, QVariant.Int),
        (CODE, QVariant.Int),
        (NAME, QVariant.String),
        (SECOND_CODE, QVariant.Int),
        (SECOND_NAME, QVariant.String),
        (UNCERTAINTY, QVariant.Double),
    ):
        fields.append(QgsField(name, kind))
    shown = [infos[code] for code in sorted({point.code for point in points})]
    features = [_feature(rank, point, infos, grid, fields) for rank, point in enumerate(points, 1)]
    with placed(wanted.output) as file:
        table = write_layer(file, wanted.output, fields, QgsWkbTypes.Point, wanted.crs, transforms, features)
        problem = store_style(file, table, lambda layer: style_suggestions(layer, shown))
        if problem:
            text = tr("The style of the points cannot be stored: {reason}.")
            raise QgsProcessingException(text.format(reason=problem))


def _feature(rank: int, point: Suggestion, infos: Mapping[int, ClassInfo], grid: Grid, fields: QgsFields) -> QgsFeature:
    west, wide, _, north, _, high = grid.transform
    second = infos.get(point.second)
    values = [
        rank,
        point.code,
        infos[point.code].name,
        None if second is None else second.code,
        None if second is None else second.name,
        round(point.uncertainty, 4),
    ]
    feature = QgsFeature(fields)
    feature.setGeometry(
        QgsGeometry.fromPointXY(QgsPointXY(west + (point.column + 0.5) * wide, north + (point.row + 0.5) * high))
    )
    feature.setAttributes(values)
    return feature


def _tell(wanted: SamplesToSuggest, found: Suggestions, infos: Mapping[int, ClassInfo], feedback: Feedback) -> None:
    text = tr("{count} points in {classes} classes, {distance} map units apart or more.")
    classes = len({point.code for point in found.points})
    feedback.info(text.format(count=len(found.points), classes=classes, distance=rounded(found.distance)))
    missing = wanted.count - len(found.points)
    crowded = [infos[code].name if code in infos else str(code) for code in found.crowded]
    if missing and wanted.distance is None:
        text = tr("{missing} of {count} points are missing: '{name}' has no more pixels to choose from.")
    elif missing:
        text = tr(
            "{missing} of {count} points are missing: no other pixel of '{name}' looked at lies {distance} from all "
            "points and polygons; choose a shorter distance."
        )
    elif crowded:
        text = tr("Other classes give more in place of {crowded}, where no other pixel keeps the distance.")
    else:
        return
    feedback.warn(
        text.format(
            missing=missing,
            count=wanted.count,
            name=wanted.classification.name,
            distance=rounded(wanted.distance or 0.0),
            crowded=listed(crowded),
        )
    )
