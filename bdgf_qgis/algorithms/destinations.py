"""Destinations that may be left out everywhere: their default is a place where the result is kept."""

from __future__ import annotations

from typing import Any, Optional

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterVectorDestination,
)

from ..workflows.keeping import is_left_out


class KeptFile(QgsProcessingParameterFileDestination):
    """A file. QGIS alone would refuse an empty cell of the batch dialog, and a call that leaves the file out."""

    def checkValueIsAcceptable(self, value: Any, context: Optional[QgsProcessingContext] = None) -> bool:
        """Anything that QGIS takes, or nothing."""
        return is_left_out(value) or super().checkValueIsAcceptable(value, context)


class KeptFolder(QgsProcessingParameterFolderDestination):
    """A folder, as KeptFile is a file."""

    def checkValueIsAcceptable(self, value: Any, context: Optional[QgsProcessingContext] = None) -> bool:
        """Anything that QGIS takes, or nothing."""
        return is_left_out(value) or super().checkValueIsAcceptable(value, context)


class KeptLayer(QgsProcessingParameterVectorDestination):
    """A layer, as KeptFile is a file."""

    def checkValueIsAcceptable(self, value: Any, context: Optional[QgsProcessingContext] = None) -> bool:
        """Anything that QGIS takes, or nothing."""
        sink = value.sink.staticValue() if isinstance(value, QgsProcessingOutputLayerDefinition) else value
        return is_left_out(sink) or super().checkValueIsAcceptable(value, context)
