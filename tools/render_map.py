"""Draws the demo as one picture through QGIS: image, surface model, and the map with its legend.

Usage: python tools/render_map.py FOLDER PICTURE, with optical.tif, dsm.tif and classification.tif in FOLDER.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from qgis.core import (
    QgsApplication,
    QgsHillshadeRenderer,
    QgsLayoutExporter,
    QgsLayoutItemLabel,
    QgsLayoutItemLegend,
    QgsLayoutItemMap,
    QgsLayoutPoint,
    QgsLayoutSize,
    QgsMapLayer,
    QgsMapLayerLegendUtils,
    QgsMultiBandColorRenderer,
    QgsPrintLayout,
    QgsProject,
    QgsRasterLayer,
)
from qgis.PyQt.QtGui import QFont

_SIDE, _MARGIN, _TOP, _LEGEND = 90.0, 5.0, 12.0, 46.0  # mm
_RED_GREEN_BLUE = 7, 4, 1


def draw(folder: Path, picture: Path) -> None:
    """Writes the picture; QGIS must be running."""
    project = QgsProject.instance()
    layers = [QgsRasterLayer(str(folder / f"{name}.tif"), name) for name in ("optical", "dsm", "classification")]
    optical, dsm, classification = layers
    optical.setRenderer(QgsMultiBandColorRenderer(optical.dataProvider(), *_RED_GREEN_BLUE))
    optical.setDefaultContrastEnhancement()
    shade = QgsHillshadeRenderer(dsm.dataProvider(), 1, 315, 45)
    dsm.setRenderer(shade)
    project.addMapLayers(layers)
    project.setCrs(optical.crs())
    layout = QgsPrintLayout(project)
    layout.initializeDefaults()
    page = layout.pageCollection().page(0)
    page.setPageSize(QgsLayoutSize(3 * _SIDE + 4 * _MARGIN + _LEGEND, _SIDE + _TOP + _MARGIN))
    titles = ("Optical image, 24 bands", "Surface model", "Land cover")
    for place, (layer, title) in enumerate(zip(layers, titles, strict=True)):
        _add_map(layout, layer, optical.extent(), title, _MARGIN + place * (_SIDE + _MARGIN))
    _add_legend(layout, classification, 3 * (_SIDE + _MARGIN) + _MARGIN)
    image = QgsLayoutExporter(layout).renderPageToImage(0, dpi=110)  # exportToImage() would try to georeference a PNG
    if not image.save(str(picture)):
        raise RuntimeError(f"{picture} could not be written")


def _add_map(layout: QgsPrintLayout, layer: QgsMapLayer, extent: object, title: str, left: float) -> None:
    frame = QgsLayoutItemMap(layout)
    layout.addLayoutItem(frame)
    frame.setKeepLayerSet(True)
    frame.setLayers([layer])
    frame.attemptMove(QgsLayoutPoint(left, _TOP))
    frame.attemptResize(QgsLayoutSize(_SIDE, _SIDE))
    frame.setExtent(extent)
    frame.setFrameEnabled(True)
    label = QgsLayoutItemLabel(layout)
    label.setText(title)
    label.setFont(QFont("DejaVu Sans", 11))
    label.attemptMove(QgsLayoutPoint(left, 4))
    label.attemptResize(QgsLayoutSize(_SIDE, 8))
    layout.addLayoutItem(label)


def _add_legend(layout: QgsPrintLayout, layer: QgsMapLayer, left: float) -> None:
    legend = QgsLayoutItemLegend(layout)
    legend.setAutoUpdateModel(False)
    legend.model().rootGroup().clear()
    node = legend.model().rootGroup().addLayer(layer)
    node.setName("Classes")
    rows = len(legend.model().layerLegendNodes(node))
    QgsMapLayerLegendUtils.setLegendNodeOrder(node, list(range(1, rows)))  # the first names the band
    legend.model().refreshLayerLegend(node)
    legend.attemptMove(QgsLayoutPoint(left, _TOP))
    layout.addLayoutItem(legend)


def main() -> int:
    """Starts QGIS without a window, draws, and stops it."""
    QgsApplication.setPrefixPath("/usr", True)
    application = QgsApplication([], False)
    application.initQgis()
    try:
        draw(Path(sys.argv[1]), Path(sys.argv[2]))
    finally:
        QgsProject.instance().clear()
        application.exitQgis()
    return 0


if __name__ == "__main__":
    sys.exit(main())
