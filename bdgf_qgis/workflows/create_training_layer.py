"""Makes an empty polygon layer to draw training areas in: a GeoPackage with the classes as style and form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransformContext,
    QgsField,
    QgsFields,
    QgsProcessingException,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QVariant
from qgis.PyQt.QtGui import QColor

from ...model.shared.infos import HIGHEST_CODE, ClassInfo
from ...model.shared.text import short_name
from ..feedback import Feedback
from ..files.conflicts import ReadFiles
from ..raster.samples.classes import CODE_FIELD, NAME_FIELD, ROLE_FIELD
from ..style.palette import free_colour
from ..style.sample_style import store_sample_style
from ..translation import tr
from .geopackage import write_layer
from .result_files import file_result, held_places, placed


@dataclass(frozen=True)
class TrainingLayer:
    """The layer to make: its GeoPackage, the system to draw in (invalid: none), its classes."""

    path: str
    crs: QgsCoordinateReferenceSystem
    classes: tuple[ClassInfo, ...]


def create_training_layer(wanted: TrainingLayer, transforms: QgsCoordinateTransformContext, feedback: Feedback) -> None:
    """Write the file. Raises QgsProcessingException, with what to do, where that fails; what was there stays then."""
    if not wanted.path.lower().endswith(".gpkg"):
        text = tr("{path} is no GeoPackage: give the training layer a name that ends in .gpkg.")
        raise QgsProcessingException(text.format(path=wanted.path))
    if not wanted.crs.isValid():
        feedback.warn(tr("The layer gets no coordinate reference system: it fits rasters that have none either."))
    with held_places([file_result(wanted.path)], ReadFiles(), feedback), placed(wanted.path) as file:
        _write(file, wanted, transforms)
    feedback.info(tr("{count} classes; switch on editing and draw.").format(count=len(wanted.classes)))
    feedback.at(1.0)


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
    codes, names = [str(info.code) for info in classes], [info.name for info in classes]
    for kind, values in ((tr("code"), codes), (tr("name"), names)):
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            text = tr("The {kind} {value} stands twice in the table of classes.")
            raise ValueError(text.format(kind=kind, value=twice[0]))
    return tuple(classes)


def _code(text: str, where: str) -> int:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not number.is_integer() or not 0 <= number <= HIGHEST_CODE:
        problem = tr("the code {code} is no whole number from 0 to {highest:,}.")
        raise ValueError(where + problem.format(code=text or "''", highest=HIGHEST_CODE))
    return int(number)


def _write(path: Path, wanted: TrainingLayer, transforms: QgsCoordinateTransformContext) -> None:
    fields = QgsFields()
    fields.append(QgsField(CODE_FIELD, QVariant.Int))
    fields.append(QgsField(NAME_FIELD, QVariant.String))
    fields.append(QgsField(ROLE_FIELD, QVariant.String))
    name = write_layer(path, wanted.path, fields, QgsWkbTypes.Polygon, wanted.crs, transforms)
    problem = store_sample_style(path, wanted.classes, name)
    if problem:
        text = tr("The style of the training layer cannot be stored: {reason}.")
        raise QgsProcessingException(text.format(reason=problem))
