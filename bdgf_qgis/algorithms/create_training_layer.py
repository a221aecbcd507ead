"""Create training layer: an empty polygon layer whose form offers the classes."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsField,
    QgsFields,
    QgsProcessingContext,
    QgsProcessingException,
    QgsVectorFileWriter,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QVariant
from qgis.PyQt.QtGui import QColor

from ...model.shared.messages import ClassInfo
from ...model.shared.text import short_name
from ..feedback import Feedback
from ..files.conflicts import ReadFiles
from ..style.palette import free_colour
from ..style.post_processor import style_when_loaded
from ..style.sample_style import CODE_FIELD, NAME_FIELD, store_sample_style, style_samples
from ..translation import tr
from ..workflows.keeping import SAMPLES_PLACE
from ..workflows.placing import file_result, held_places, placed
from .base import BdgfAlgorithm

_LARGEST_CODE = 65_535
_EXAMPLE = [1, "Water", "#1f78b4", 2, "Trees", "#1b7837", 3, "Grass", "#a6d96a", 4, "Built-up", "#d7301f"]


class CreateTrainingLayer(BdgfAlgorithm):
    """Writes a GeoPackage of no polygons yet, with style and form."""

    ID = "createtraininglayer"
    STEP = 1

    def title(self) -> str:
        """Name in the toolbox."""
        return tr("Create training layer")

    def about(self) -> str:
        """What it does."""
        return tr(
            "Makes an empty polygon layer to draw training areas in. Each polygon drawn asks for its class in a list; "
            "the layer shows the classes in their colours, and both travel in the GeoPackage.\n\n"
            "Switch on editing, draw a few polygons a class inside areas that are of one kind, and give the layer to "
            "Train. Small polygons spread over the scene serve better than few large ones."
        )

    def keywords(self) -> str:
        """Words to find it by."""
        return tr("samples,polygons,digitise,regions of interest,ROI,ground truth,legend")

    def declare(self) -> None:
        """Parameters and outputs."""
        self.add_table(
            "CLASSES",
            tr("Classes"),
            tr(
                "One row a class: a code from 0 to 65,535 that stands in the map, a name, and a colour such as "
                "#1f78b4 (left empty, one is chosen). On the command line a flat list: code, name, colour, code, ..."
            ),
            [tr("Code"), tr("Name"), tr("Colour")],
            _EXAMPLE,
        )
        self.add_crs(
            "CRS",
            tr("Coordinate reference system"),
            tr("The system to draw in; that of the map or of the rasters. Others are brought together in training."),
            "ProjectCrs",
        )
        self.add_kept_polygons(
            "OUTPUT",
            tr("Training layer"),
            tr("The GeoPackage (.gpkg) to make. A file that you name is replaced."),
            SAMPLES_PLACE,
        )

    def problem(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        """What is wrong with the table of classes."""
        try:
            parse_classes(self.parameterAsMatrix(parameters, "CLASSES", context))
        except ValueError as error:
            return str(error)
        return ""

    def read_inputs(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """The reference system: it may be the project's."""
        self._crs = self.parameterAsCrs(parameters, "CRS", context)

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: Feedback) -> dict[str, Any]:
        """Write the file."""
        try:
            classes = parse_classes(self.parameterAsMatrix(parameters, "CLASSES", context))
        except ValueError as error:
            raise QgsProcessingException(str(error)) from error
        destination = self.parameterAsOutputLayer(parameters, "OUTPUT", context)
        if not destination.lower().endswith(".gpkg"):
            text = tr("{path} is no GeoPackage: give the training layer a name that ends in .gpkg.")
            raise QgsProcessingException(text.format(path=destination))
        if not self._crs.isValid():
            feedback.warn(tr("The layer gets no coordinate reference system: it fits rasters that have none either."))
        places = held_places([file_result(destination)], ReadFiles(), feedback)
        with places, placed(destination) as draft:
            _write(draft, Path(destination).stem, self._crs, classes, context)
        feedback.info(tr("{count} classes; switch on editing and draw.").format(count=len(classes)))
        feedback.at(1.0)
        style_when_loaded(context, destination, lambda layer: style_samples(layer, classes))
        return {"OUTPUT": destination}


def parse_classes(cells: Sequence[Any]) -> tuple[ClassInfo, ...]:
    """Classes from the flat cells of the table; ValueError says which row is wrong and why."""
    if not cells or len(cells) % 3:
        raise ValueError(tr("The table of classes needs rows of three: code, name, colour."))
    rows = [
        [str("" if cell is None else cell).strip() for cell in cells[at : at + 3]] for at in range(0, len(cells), 3)
    ]
    taken = {QColor(row[2]).name() for row in rows if QColor(row[2]).isValid()}
    classes: list[ClassInfo] = []
    for number, (code, name, colour) in enumerate(rows):
        where = tr("Row {number} of the table of classes: ").format(number=number + 1)
        name = short_name(name)
        if not name:
            raise ValueError(where + tr("the name is empty."))
        if colour and not QColor.isValidColor(colour):
            raise ValueError(where + tr("{colour} is no colour; write one like #1f78b4.").format(colour=colour))
        chosen = QColor(colour).name() if colour else free_colour(taken, number)
        taken.add(chosen)
        classes.append(ClassInfo(_code(code, where), name, chosen))
    codes, names = [str(each.code) for each in classes], [each.name for each in classes]
    for kind, values in ((tr("code"), codes), (tr("name"), names)):
        twice = sorted({each for each in values if values.count(each) > 1})
        if twice:
            text = tr("The {kind} {value} stands twice in the table of classes.")
            raise ValueError(text.format(kind=kind, value=twice[0]))
    return tuple(classes)


def _code(text: str, where: str) -> int:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not number.is_integer() or not 0 <= number <= _LARGEST_CODE:
        raise ValueError(where + tr("the code {code} is no whole number from 0 to 65,535.").format(code=text or "''"))
    return int(number)


def _write(
    path: Path,
    name: str,
    crs: QgsCoordinateReferenceSystem,
    classes: Sequence[ClassInfo],
    context: QgsProcessingContext,
) -> None:
    fields = QgsFields()
    fields.append(QgsField(CODE_FIELD, QVariant.Int))
    fields.append(QgsField(NAME_FIELD, QVariant.String))
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName = "GPKG"
    options.layerName = name
    transforms = context.transformContext()
    writer = QgsVectorFileWriter.create(str(path), fields, QgsWkbTypes.Polygon, crs, transforms, options)
    failed, text = writer.hasError(), writer.errorMessage()
    del writer  # closes the file
    if failed:
        raise QgsProcessingException(tr("The training layer cannot be written: {reason}.").format(reason=text))
    if not crs.isValid():
        _mark_as_plane(path)
    problem = store_sample_style(path, classes, name)
    if problem:
        text = tr("The style of the training layer cannot be stored: {reason}.")
        raise QgsProcessingException(text.format(reason=problem))


def _mark_as_plane(path: Path) -> None:
    """Without a CRS QGIS writes 'undefined geographic', as if coordinates were degrees; -1 is an undefined plane."""
    with closing(sqlite3.connect(str(path))) as connection, connection:
        for table in ("gpkg_contents", "gpkg_geometry_columns"):
            connection.execute(f"UPDATE {table} SET srs_id = -1")
