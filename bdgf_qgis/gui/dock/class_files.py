"""Classes from and to files: CSV, QGIS styles, model files; and from layers that show classes."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsMapLayer,
    QgsPalettedRasterRenderer,
    QgsRasterLayer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QFileInfo
from qgis.PyQt.QtXml import QDomDocument

from ....model.shared.header import ModelFileError, read_header
from ....model.shared.infos import HIGHEST_CODE, ClassInfo
from ....model.shared.text import short_name
from ...files.atomic_file import AtomicFile
from ...files.errors import FileError
from ...raster.samples.classes import CODE_FIELD, code_in
from ...style.layer_classes import read_classes, write_classes
from ...translation import tr
from ...workflows.create_training_layer import parse_classes

_LARGEST = 20 * 1024**2  # bytes of a file of classes


class ClassFileError(Exception):
    """Classes cannot be read or written; a sentence that names the file."""


def import_filter() -> str:
    """Files that classes can be read from, as file dialogs want it."""
    return tr("Classes (*.csv *.qml *.safetensors)")


def export_filter() -> str:
    """Files that classes can be written to."""
    return tr("CSV (*.csv);;QGIS style (*.qml)")


def import_classes(path: str) -> tuple[ClassInfo, ...]:
    """The classes in a CSV file of code, name and colour, in a QGIS style or in a model file.

    Raises ClassFileError.
    """
    read = {".qml": _from_style, ".safetensors": _from_model}.get(Path(path).suffix.lower(), _from_csv)
    try:
        if Path(path).stat().st_size > _LARGEST and read is not _from_model:
            raise ValueError(tr("it is far too large"))
        classes = read(path)
    except (OSError, ValueError, csv.Error) as error:
        text = tr("The file {path} cannot be read as classes: {reason}.")
        raise ClassFileError(text.format(path=path, reason=str(error).rstrip("."))) from error
    if not classes:
        raise ClassFileError(tr("The file {path} holds no classes.").format(path=path))
    return classes


def classes_of_layer(layer: QgsMapLayer) -> tuple[ClassInfo, ...]:
    """The classes that a layer's style shows; none where it shows no classes."""
    renderer = layer.renderer() if isinstance(layer, (QgsVectorLayer, QgsRasterLayer)) else None
    if isinstance(renderer, QgsCategorizedSymbolRenderer):
        field = renderer.classAttribute().strip('"')
        return read_classes(layer, field) if layer.fields().lookupField(field) >= 0 else ()
    if isinstance(renderer, QgsPalettedRasterRenderer):
        return tuple(
            ClassInfo(int(entry.value), short_name(entry.label) or str(int(entry.value)), entry.color.name())
            for entry in renderer.classes()
            if 0 <= entry.value <= HIGHEST_CODE
        )
    return ()


def export_classes(path: str, classes: Sequence[ClassInfo]) -> None:
    """Write classes as CSV, or as the style of a layer of samples. Raises ClassFileError; what was there stays then."""
    content = _style(classes) if path.lower().endswith(".qml") else _csv(classes)
    try:
        with AtomicFile(path) as file:
            file.file.write_text(content, encoding="utf-8", newline="")
            file.close()
            file.commit()
    except (OSError, FileError) as error:
        raise ClassFileError(str(error)) from error


def _csv(classes: Sequence[ClassInfo]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["code", "name", "colour"])
    writer.writerows([info.code, info.name, info.colour] for info in classes)
    return text.getvalue()


def _from_csv(path: str) -> tuple[ClassInfo, ...]:
    with open(path, encoding="utf-8-sig", newline="") as file:
        sample = file.read(4096)
        file.seek(0)
        separator = ";" if sample.count(";") > sample.count(",") else ","
        rows = [row for row in csv.reader(file, delimiter=separator) if any(cell.strip() for cell in row)]
    if rows and code_in(rows[0][0]) is None:
        rows = rows[1:]  # titles
    return parse_classes([cell for row in rows for cell in (*row, "", "", "")[:3]]) if rows else ()


def _from_model(path: str) -> tuple[ClassInfo, ...]:
    try:
        return read_header(path).classes
    except ModelFileError as error:
        raise ValueError(str(error)) from error


def _from_style(path: str) -> tuple[ClassInfo, ...]:
    """Classes of a style of a vector or of a raster layer."""
    document = QDomDocument()
    if not document.setContent(Path(path).read_bytes())[0]:
        raise ValueError(tr("it is no QGIS style"))
    pipe = document.elementsByTagName("rasterrenderer").at(0).toElement()
    if not pipe.isNull():
        entries = pipe.elementsByTagName("paletteEntry")
        rows = [entries.at(place).toElement() for place in range(entries.count())]
        cells = [row.attribute(name) for row in rows for name in ("value", "label", "color")]
        return parse_classes(cells) if cells else ()
    renderer = document.elementsByTagName("renderer-v2").at(0).toElement()
    field = renderer.attribute("attr").strip('"') or CODE_FIELD
    layer = QgsVectorLayer(f"Polygon?field={field}:string", "classes", "memory")
    layer.loadNamedStyle(QFileInfo(path).absoluteFilePath())
    return read_classes(layer, field)


def _style(classes: Sequence[ClassInfo]) -> str:
    layer = QgsVectorLayer(f"Polygon?field={CODE_FIELD}:integer&field=class_name:string", "classes", "memory")
    write_classes(layer, CODE_FIELD, classes)
    document = QDomDocument()
    layer.exportNamedStyle(document)
    return str(document.toString(2))
