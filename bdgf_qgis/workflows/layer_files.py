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

from ..raster.reading.source import files_of_vector


def layer_files(layer: Optional[QgsMapLayer], context: QgsProcessingContext) -> tuple[str, ...]:
    """Files of a vector layer, of layers that are joined to it, and of those that a virtual layer draws from.

    A layer in memory or on a server has none.
    """
    files: dict[str, None] = {}
    seen: set[str] = set()
    waiting = [layer]
    while waiting:
        each = waiting.pop()
        if each is None or each.id() in seen:
            continue
        seen.add(each.id())
        if isinstance(each, QgsVectorLayer):
            waiting += [join.joinLayer() for join in each.vectorJoins()]
        if each.providerType() == "virtual":
            waiting += _sources(each, context)
        else:
            path = str(QgsProviderRegistry.instance().decodeUri(each.providerType(), each.source()).get("path") or "")
            files.update(dict.fromkeys(files_of_vector(path) if path else ()))
    return tuple(files)


def _sources(layer: QgsMapLayer, context: QgsProcessingContext) -> Iterator[Optional[QgsMapLayer]]:
    for each in QgsVirtualLayerDefinition.fromUrl(QUrl(layer.source())).sourceLayers():
        if each.isReferenced():
            yield context.getMapLayer(each.reference())
        else:
            yield QgsVectorLayer(each.source(), each.name(), each.provider())
