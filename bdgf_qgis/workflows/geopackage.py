"""A vector layer written to a GeoPackage of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransformContext,
    QgsFeature,
    QgsFields,
    QgsProcessingException,
    QgsVectorFileWriter,
    QgsWkbTypes,
)

from ..translation import tr


def write_layer(
    file: Path,
    destination: str,
    fields: QgsFields,
    geometry: QgsWkbTypes.Type,
    crs: QgsCoordinateReferenceSystem,
    transforms: QgsCoordinateTransformContext,
    features: Sequence[QgsFeature] = (),
) -> str:
    """Write `file`, which is to stand at `destination`; returns the table's name.

    Raises QgsProcessingException where that fails.
    """
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName = "GPKG"
    options.layerName = name = Path(destination).stem
    writer = QgsVectorFileWriter.create(str(file), fields, geometry, crs, transforms, options)
    whole = all(writer.addFeature(feature) for feature in features)
    failed, text = writer.hasError() or not whole, writer.errorMessage()
    del writer  # closes the file
    if failed:
        raise QgsProcessingException(tr("{path} cannot be written: {reason}.").format(path=destination, reason=text))
    if not crs.isValid():
        _mark_as_plane(file)
    return name


def _mark_as_plane(path: Path) -> None:
    """Without a CRS QGIS writes 'undefined geographic', as if coordinates were degrees; -1 is an undefined plane."""
    with closing(sqlite3.connect(str(path))) as connection, connection:
        for table in ("gpkg_contents", "gpkg_geometry_columns"):
            connection.execute(f"UPDATE {table} SET srs_id = -1")
