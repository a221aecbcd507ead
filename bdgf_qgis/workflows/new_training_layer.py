"""A training layer at one click: made beside the project, loaded, ready to draw into."""

from __future__ import annotations

from qgis.core import QgsCoordinateReferenceSystem, QgsProcessingException, QgsProject, QgsVectorLayer

from ..feedback import SILENT
from ..translation import tr
from .create_training_layer import TrainingLayer, create_training_layer
from .default_places import SAMPLES_PLACE, free_place, project_folder


def new_training_layer(project: QgsProject, crs: QgsCoordinateReferenceSystem) -> QgsVectorLayer:
    """Make an empty layer without classes and put it on top of the project's layers.

    Raises QgsProcessingException, with what to do, where it cannot be written.
    """
    path = free_place(SAMPLES_PLACE, "", project_folder(project))
    create_training_layer(TrainingLayer(str(path), crs, ()), project.transformContext(), SILENT)
    layer = QgsVectorLayer(f"{path}|layername={path.stem}", path.stem, "ogr")
    if not layer.isValid():
        raise QgsProcessingException(tr("The new training layer {path} cannot be opened.").format(path=path))
    project.addMapLayer(layer, False)
    project.layerTreeRoot().insertLayer(0, layer)
    return layer
