"""Where the map of the dock's last round stands: in a group of its own above the rasters, in the map before's place."""

from __future__ import annotations

from osgeo import gdal
from qgis.core import QgsLayerTree, QgsLayerTreeGroup, QgsProject, QgsRasterLayer

from ..raster.output.metadata import read_class_table
from .raster_style import class_renderer, style_raster


def show_in_group(project: QgsProject, layer: QgsRasterLayer, group: str, before: str) -> None:
    """Add the class raster of a layer to the project, styled; polygons on top of the rasters stay visible.

    before  id of the layer that it replaces, '' for none
    """
    classes = read_class_table(gdal.Open(layer.source()))
    style_raster(layer, class_renderer(classes, layer.dataProvider()))
    root = project.layerTreeRoot()
    old = root.findLayer(before) if before else None
    project.addMapLayer(layer, False)
    if old is None:
        found = root.findGroup(group) or root.insertGroup(_above_rasters(root), group)
        found.insertLayer(0, layer)
        return
    parent = old.parent()
    node = parent.insertLayer(parent.children().index(old), layer)
    node.setItemVisibilityChecked(old.itemVisibilityChecked())
    project.removeMapLayer(before)


def _above_rasters(root: QgsLayerTreeGroup) -> int:
    """The place of the first raster among what stands at the top of the tree."""
    for place, node in enumerate(root.children()):
        if QgsLayerTree.isLayer(node) and isinstance(node.layer(), QgsRasterLayer):
            return place
    return len(root.children())
