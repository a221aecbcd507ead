"""Where the map of the dock's last round stands: in a group of its own on top, in the place of the map before."""

from __future__ import annotations

from osgeo import gdal
from qgis.core import QgsProject, QgsRasterLayer

from ..raster.output.metadata import read_class_table
from .raster_style import class_renderer, style_raster


def show_in_group(project: QgsProject, layer: QgsRasterLayer, group: str, before: str) -> None:
    """Add the class raster of a layer to the project, styled, with its neighbours' places as they were.

    before  id of the layer that it replaces, '' for none
    """
    classes = read_class_table(gdal.Open(layer.source()))
    style_raster(layer, class_renderer(classes, layer.dataProvider()))
    root = project.layerTreeRoot()
    old = root.findLayer(before) if before else None
    project.addMapLayer(layer, False)
    if old is not None:
        parent, place, seen = old.parent(), old.parent().children().index(old), old.isVisible()
        node = parent.insertLayer(place, layer)
        node.setItemVisibilityChecked(seen)
        project.removeMapLayer(before)
    else:
        (root.findGroup(group) or root.insertGroup(0, group)).insertLayer(0, layer)
