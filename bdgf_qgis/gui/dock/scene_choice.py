"""The scene that is worked on: rasters ticked of the project's layers, and the layer that samples are drawn into.

Both are remembered in the project. Until rasters were ticked by hand, those count that the layer tree shows.
"""

from __future__ import annotations

from typing import Any, Optional

from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsMapLayer,
    QgsProcessingException,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QObject, pyqtSignal

from ...raster.errors import RasterError
from ...raster.reading.pixel_size import side
from ...raster.reading.raster import Raster
from ...raster.samples.classes import CODE_FIELD
from ...workflows.raster_inputs import Rasters, raster_of, rasters_of_layers

_SCOPE = "bdgf"
_RASTERS, _TRAINING, _FIELD = "dock/rasters", "dock/training", "dock/field"
_USUAL_FIELDS = (CODE_FIELD, "class", "classes", "code", "label", "landcover", "land_cover", "klasse", "type")


class SceneChoice(QObject):
    """Hears the project; `rasters_changed` and `training_changed` say that something else counts now."""

    rasters_changed = pyqtSignal()
    training_changed = pyqtSignal()

    def __init__(self, project: QgsProject, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._project = project
        self._described: dict[str, Optional[Raster]] = {}  # by layer id; None for what nothing can be learned from
        self._training = ""
        self._field = ""
        self._heard: list[tuple[Any, Any]] = [
            (project.layersAdded, self._layers_added),
            (project.layersRemoved, self._layers_removed),
            (project.readProject, self._project_read),
            (project.layerTreeRoot().visibilityChanged, self._visibility_changed),
        ]
        for signal, slot in self._heard:
            signal.connect(slot)
        self._remember_training()

    def close(self) -> None:
        """Hear nothing more."""
        for signal, slot in self._heard:
            signal.disconnect(slot)
        self._heard.clear()

    # ------------------------------------------------------------ rasters

    @property
    def offered(self) -> list[QgsRasterLayer]:
        """Rasters of the project that can be learned from, no results of ours; the finest first."""
        known = [(layer, self._raster(layer)) for layer in self._project.mapLayers().values()]
        usable = [(layer, raster) for layer, raster in known if raster is not None]
        return [
            layer for layer, raster in sorted(usable, key=lambda pair: (side(pair[1].scene_info()), pair[0].name()))
        ]

    @property
    def ticked(self) -> list[QgsRasterLayer]:
        """Those that make up the scene; the finest first."""
        chosen, by_hand = self._project.readListEntry(_SCOPE, _RASTERS)
        if by_hand:
            return [layer for layer in self.offered if layer.id() in chosen]
        root = self._project.layerTreeRoot()
        nodes = [(layer, root.findLayer(layer.id())) for layer in self.offered]
        return [layer for layer, node in nodes if node is not None and node.isVisible()]

    def tick(self, layer: QgsRasterLayer, wanted: bool) -> None:
        """Take a raster into the scene, or out of it."""
        chosen = [other.id() for other in self.ticked if other.id() != layer.id()]
        self._project.writeEntry(_SCOPE, _RASTERS, [*chosen, *([layer.id()] if wanted else [])])
        self.rasters_changed.emit()

    def raster(self, layer: QgsRasterLayer) -> Raster:
        """What an offered raster is."""
        raster = self._raster(layer)
        assert raster is not None
        return raster

    def rasters(self) -> Optional[Rasters]:
        """The scene as plain values, as the layers are set now; None without a raster.

        Raises QgsProcessingException or RasterError, naming the layer, where one cannot be used.
        """
        layers = self.ticked
        return rasters_of_layers(layers) if layers else None

    # ------------------------------------------------------------ training layer

    @property
    def training(self) -> Optional[QgsVectorLayer]:
        """The layer that samples are drawn into; None where none is chosen."""
        layer = self._project.mapLayer(self._training) if self._training else None
        return layer if isinstance(layer, QgsVectorLayer) else None

    @property
    def field(self) -> str:
        """Its class field; '' where none is chosen."""
        return self._field

    def choose_training(self, layer: Optional[QgsVectorLayer], field: str = "") -> None:
        """Draw into this layer from now on; without a field the likeliest one holds the classes."""
        chosen = "" if layer is None else layer.id()
        field = "" if layer is None else field or likely_field(layer)
        if (chosen, field) == (self._training, self._field):
            return
        self._training, self._field = chosen, field
        self._project.writeEntry(_SCOPE, _TRAINING, chosen)
        self._project.writeEntry(_SCOPE, _FIELD, field)
        self.training_changed.emit()

    # ------------------------------------------------------------ the project

    def _raster(self, layer: QgsMapLayer) -> Optional[Raster]:
        if layer.id() not in self._described:
            self._described[layer.id()] = _usable(layer)
        return self._described[layer.id()]

    def _layers_added(self, layers: list[QgsMapLayer]) -> None:
        if any(isinstance(layer, QgsRasterLayer) for layer in layers):
            self.rasters_changed.emit()

    def _layers_removed(self, ids: list[str]) -> None:
        rasters = [self._described.pop(layer_id, None) for layer_id in ids]
        if any(rasters):
            self.rasters_changed.emit()
        if self._training in ids:
            self._training = self._field = ""
            self.training_changed.emit()

    def _visibility_changed(self, node: Any) -> None:
        if not self._project.readListEntry(_SCOPE, _RASTERS)[1]:
            self.rasters_changed.emit()

    def _project_read(self) -> None:
        self._described.clear()
        self._remember_training()
        self.rasters_changed.emit()
        self.training_changed.emit()

    def _remember_training(self) -> None:
        self._training = self._project.readEntry(_SCOPE, _TRAINING)[0]
        self._field = self._project.readEntry(_SCOPE, _FIELD)[0]
        if self.training is None or self.training.fields().lookupField(self._field) < 0:
            self._training = self._field = ""


def _usable(layer: QgsMapLayer) -> Optional[Raster]:
    """A layer's raster; None where it is none that GDAL reads, or a result of ours."""
    if not isinstance(layer, QgsRasterLayer) or not layer.isValid() or layer.providerType() != "gdal":
        return None
    try:
        raster = raster_of(layer)
    except (RasterError, QgsProcessingException):
        return None
    return None if raster.lineage is not None else raster


def likely_field(layer: QgsVectorLayer) -> str:
    """The field that most likely holds the classes: one of ours, that of a categorised style, one of a usual name."""
    names = layer.fields().names()
    renderer = layer.renderer()
    styled = renderer.classAttribute().strip('"') if isinstance(renderer, QgsCategorizedSymbolRenderer) else ""
    for wanted in (CODE_FIELD, styled, *_USUAL_FIELDS):
        for name in names:
            if wanted and name.lower() == wanted.lower():
                return str(name)
    return ""


def is_polygon_layer(layer: Optional[QgsMapLayer]) -> bool:
    """Whether samples can be drawn into a layer."""
    return isinstance(layer, QgsVectorLayer) and layer.geometryType() == QgsWkbTypes.GeometryType.PolygonGeometry
