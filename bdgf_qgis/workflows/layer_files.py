"""The files that a vector layer is made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

from qgis.core import (
    QgsMapLayer,
    QgsProcessingContext,
    QgsProviderRegistry,
    QgsVectorLayer,
    QgsVirtualLayerDefinition,
)
from qgis.PyQt.QtCore import QUrl

from ..raster.reading.opening import files_of_vector


def layer_files(layer: Optional[QgsMapLayer], context: QgsProcessingContext) -> tuple[str, ...]:
    """Files of a vector layer, of layers that are joined to it, and of those that a virtual layer draws from.

    A layer in memory or on a server has none.
    """
    files: dict[str, None] = {}
    seen: set[str] = set()
    waiting = [layer]
    while waiting:
        current = waiting.pop()
        if current is None or current.id() in seen:
            continue
        seen.add(current.id())
        if isinstance(current, QgsVectorLayer):
            waiting += [join.joinLayer() for join in current.vectorJoins()]
        if current.providerType() == "virtual":
            waiting += _sources(current, context)
        else:
            path = str(
                QgsProviderRegistry.instance().decodeUri(current.providerType(), current.source()).get("path") or ""
            )
            files.update(dict.fromkeys(files_of_vector(path) if path else ()))
    return tuple(files)


def _sources(layer: QgsMapLayer, context: QgsProcessingContext) -> Iterator[Optional[QgsMapLayer]]:
    for source in QgsVirtualLayerDefinition.fromUrl(QUrl(layer.source())).sourceLayers():
        if source.isReferenced():
            yield context.getMapLayer(source.reference())
        else:
            yield QgsVectorLayer(source.source(), source.name(), source.provider())
