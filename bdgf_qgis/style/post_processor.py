"""Puts a style on a layer once Processing has loaded it: Processing itself reads no .qml and no stored style."""

from __future__ import annotations

from typing import Callable

from qgis.core import (
    QgsMapLayer,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
)

# QGIS does not own a post-processor: without a reference here it would be gone before its layer is loaded.
# By destination, so that a run which never loads its layer holds one entry, not one a run.
_ALIVE: dict[str, StyleWhenLoaded] = {}


class StyleWhenLoaded(QgsProcessingLayerPostProcessorInterface):
    """Calls `apply` with the loaded layer, once."""

    def __init__(self, destination: str, apply: Callable[[QgsMapLayer], None]) -> None:
        super().__init__()
        self._destination = destination
        self._apply = apply

    def postProcessLayer(
        self, layer: QgsMapLayer, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        """Called by Processing in the main thread."""
        try:
            self._apply(layer)
        finally:
            _ALIVE.pop(self._destination, None)


def style_when_loaded(context: QgsProcessingContext, destination: str, apply: Callable[[QgsMapLayer], None]) -> None:
    """Have `apply` called with the layer of a result, where QGIS is going to load it."""
    if destination and context.willLoadLayerOnCompletion(destination):
        processor = StyleWhenLoaded(destination, apply)
        _ALIVE[destination] = processor
        context.layerToLoadOnCompletionDetails(destination).setPostProcessor(processor)
