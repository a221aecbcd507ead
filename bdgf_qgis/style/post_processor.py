"""Puts a style on a layer once Processing has loaded it: Processing itself reads no .qml and no stored style."""

from __future__ import annotations

from typing import Callable, Optional

from qgis.core import (
    QgsMapLayer,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
)

from .layer_place import LayerPlace, take_place

# QGIS does not own a post-processor: without a reference here it would be gone before its layer is loaded.
# By destination, so that a run which never loads its layer holds one entry, not one a run.
_ALIVE: dict[str, StyleWhenLoaded] = {}


class StyleWhenLoaded(QgsProcessingLayerPostProcessorInterface):
    """Calls each of `apply` with the loaded layer, once."""

    def __init__(self, destination: str, *apply: Callable[[QgsMapLayer], None]) -> None:
        super().__init__()
        self._destination = destination
        self._apply = apply

    def postProcessLayer(
        self, layer: QgsMapLayer, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        """Called by Processing in the main thread."""
        try:
            for each in self._apply:
                each(layer)
        finally:
            _ALIVE.pop(self._destination, None)


def style_when_loaded(
    context: QgsProcessingContext,
    destination: str,
    apply: Callable[[QgsMapLayer], None],
    place: Optional[LayerPlace] = None,
) -> None:
    """Have `apply` called with the layer of a result in the main thread, where QGIS is going to load it.

    place  where it stands in the layer tree; None leaves it where Processing puts it
    """
    if destination and context.willLoadLayerOnCompletion(destination):
        details = context.layerToLoadOnCompletionDetails(destination)
        steps = [apply] if place is None else [apply, take_place(details, place)]
        processor = StyleWhenLoaded(destination, *steps)
        _ALIVE[destination] = processor
        details.setPostProcessor(processor)


def name_when_loaded(context: QgsProcessingContext, destination: str, usual: str, name: str) -> None:
    """Name the layer of a result, where it would have its usual name: one that a model of the user's gives it stays."""
    if destination and context.willLoadLayerOnCompletion(destination):
        details = context.layerToLoadOnCompletionDetails(destination)
        if details.name == usual:
            details.name = name
