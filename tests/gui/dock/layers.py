"""Layers of samples for the tests of the dock."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsCoordinateReferenceSystem, QgsGeometry, QgsProject, QgsRectangle, QgsVectorLayer

from bdgf.bdgf_qgis.feedback import SILENT
from bdgf.bdgf_qgis.workflows.create_training_layer import TrainingLayer, create_training_layer
from bdgf.model.shared.infos import ClassInfo

UTM = QgsCoordinateReferenceSystem("EPSG:32633")
CLASSES = (ClassInfo(1, "Water", "#1f78b4"), ClassInfo(2, "Trees", "#1b7837"), ClassInfo(7, "Grass", "#a6d96a"))


def training_layer(path: Path, classes: tuple[ClassInfo, ...] = CLASSES) -> QgsVectorLayer:
    """One of ours, in the project."""
    create_training_layer(TrainingLayer(str(path), UTM, classes), QgsProject.instance().transformContext(), SILENT)
    layer = QgsVectorLayer(f"{path}|layername={path.stem}", path.stem, "ogr")
    QgsProject.instance().addMapLayer(layer)
    return layer


def square(left: float = 0, side: float = 10) -> QgsGeometry:
    """A square by its left side, 500 km east and 5,000 km north."""
    return QgsGeometry.fromRect(QgsRectangle(500_000 + left, 5_000_000, 500_000 + left + side, 5_000_000 + side))
