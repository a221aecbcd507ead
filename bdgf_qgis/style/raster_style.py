"""Styles of the result rasters, as renderers for layers and as text for a .qml beside the file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

from qgis.core import (
    Qgis,
    QgsColorRampShader,
    QgsContrastEnhancement,
    QgsMultiBandColorRenderer,
    QgsPalettedRasterRenderer,
    QgsRasterLayer,
    QgsRasterShader,
    QgsSingleBandPseudoColorRenderer,
)
from qgis.PyQt.QtGui import QColor
from qgis.PyQt.QtXml import QDomDocument

from ...model.shared.infos import ClassInfo

# From doubtful to sure: dark to bright, readable without colour vision.
_SHARES = ((0.0, "#3b0f70"), (0.25, "#8c2981"), (0.5, "#de4968"), (0.75, "#fe9f6d"), (1.0, "#fcfdbf"))


def class_renderer(classes: Sequence[ClassInfo], provider: Optional[Any] = None) -> QgsPalettedRasterRenderer:
    """One legend row a class: code, colour, name; nodata has none."""
    rows = [QgsPalettedRasterRenderer.Class(each.code, QColor(each.colour), each.name) for each in classes]
    return QgsPalettedRasterRenderer(provider, 1, rows)


def probability_renderer(provider: Optional[Any] = None) -> QgsSingleBandPseudoColorRenderer:
    """Shares between 0 and 1, of the first band: three classes' bands as red, green and blue would tell nothing."""
    ramp = QgsColorRampShader(0.0, 1.0)
    ramp.setColorRampType(QgsColorRampShader.Interpolated)
    ramp.setColorRampItemList(
        [QgsColorRampShader.ColorRampItem(value, QColor(colour), f"{value:.0%}") for value, colour in _SHARES]
    )
    shader = QgsRasterShader(0.0, 1.0)
    shader.setRasterShaderFunction(ramp)
    renderer = QgsSingleBandPseudoColorRenderer(provider, 1, shader)
    renderer.setClassificationMin(0.0)
    renderer.setClassificationMax(1.0)
    return renderer


def image_renderer(
    bands: tuple[int, int, int], most: float, provider: Optional[Any] = None
) -> QgsMultiBandColorRenderer:
    """Bands as red, green and blue, stretched from 0 to `most`; the type of the values is that of `provider`."""
    renderer = QgsMultiBandColorRenderer(provider, *bands)
    kind = Qgis.DataType.UInt16 if provider is None else provider.dataType(bands[0])
    setters = (
        renderer.setRedContrastEnhancement,
        renderer.setGreenContrastEnhancement,
        renderer.setBlueContrastEnhancement,
    )
    for use in setters:
        stretch = QgsContrastEnhancement(kind)
        stretch.setContrastEnhancementAlgorithm(
            QgsContrastEnhancement.ContrastEnhancementAlgorithm.StretchToMinimumMaximum
        )
        stretch.setMinimumValue(0)
        stretch.setMaximumValue(most)
        use(stretch)
    return renderer


def image_style(bands: tuple[int, int, int], most: float) -> str:
    """The .qml of an image."""
    return _document(image_renderer(bands, most))


def class_style(classes: Sequence[ClassInfo]) -> str:
    """The .qml of a class raster."""
    return _document(class_renderer(classes))


def probability_style() -> str:
    """The .qml of a raster of confidence or probabilities."""
    return _document(probability_renderer())


def _document(renderer: Any) -> str:
    document = QDomDocument("qgis")
    root = document.createElement("qgis")
    root.setAttribute("version", "3.22.0")
    root.setAttribute("styleCategories", "Symbology")
    pipe = document.createElement("pipe")
    document.appendChild(root)
    root.appendChild(pipe)
    renderer.writeXml(document, pipe)
    return str(document.toString(2))


def style_raster(layer: QgsRasterLayer, renderer: Any) -> None:
    """Put a renderer on a loaded layer."""
    if layer.isValid():
        layer.setRenderer(renderer)
        layer.triggerRepaint()
