"""Styles of result rasters: the .qml beside a file, and the post-processor of Processing."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from osgeo import gdal
from qgis.core import QgsPalettedRasterRenderer, QgsProcessingContext, QgsProject, QgsRasterLayer

from bdgf.bdgf_qgis.style import post_processor
from bdgf.bdgf_qgis.style.raster_style import class_renderer, class_style, probability_style, style_raster
from bdgf.model.shared.infos import ClassInfo

CLASSES = (ClassInfo(3, "Water & <ice>", "#0000ff"), ClassInfo(700, "Soil", "#a52a2a"))


def write(path, values, kind) -> str:
    raster = gdal.GetDriverByName("GTiff").Create(str(path), values.shape[1], values.shape[0], 1, kind)
    raster.GetRasterBand(1).SetNoDataValue(0)
    raster.WriteArray(values)
    return str(path)


@pytest.fixture
def raster(tmp_path) -> str:
    return write(tmp_path / "map.tif", np.array([[0, 3], [700, 3]], np.uint16), gdal.GDT_UInt16)


def test_a_class_raster_opens_with_its_legend(raster, tmp_path):
    (tmp_path / "map.qml").write_text(class_style(CLASSES), encoding="utf-8")
    layer = QgsRasterLayer(raster, "map")
    renderer = layer.renderer()
    assert isinstance(renderer, QgsPalettedRasterRenderer)
    found = [(int(each.value), each.label, each.color.name()) for each in renderer.classes()]
    assert found == [(each.code, each.name, each.colour) for each in CLASSES]
    block = renderer.block(1, layer.extent(), 2, 2)
    shown = [[block.color(row, column) for column in range(2)] for row in range(2)]
    assert shown[0][0] == 0, "nodata is transparent"
    assert f"{shown[0][1] & 0xFFFFFF:06x}" == "0000ff" and f"{shown[1][0] & 0xFFFFFF:06x}" == "a52a2a"


def test_a_confidence_raster_opens_from_dark_to_bright(tmp_path):
    path = write(tmp_path / "sure.tif", np.array([[0.05, 0.5, 0.95]], np.float32), gdal.GDT_Float32)
    (tmp_path / "sure.qml").write_text(probability_style(), encoding="utf-8")
    layer = QgsRasterLayer(path, "sure")
    assert layer.renderer().type() == "singlebandpseudocolor"
    block = layer.renderer().block(1, layer.extent(), 3, 1)
    brightness = [sum(block.color(0, at) >> shift & 255 for shift in (0, 8, 16)) for at in range(3)]
    assert brightness == sorted(brightness) and brightness[2] > 2 * brightness[0]


def test_the_style_is_put_on_once_the_layer_is_loaded(raster):
    context = QgsProcessingContext()
    details = QgsProcessingContext.LayerDetails("map", QgsProject.instance(), "OUTPUT")
    context.addLayerToLoadOnCompletion(raster, details)
    post_processor.style_when_loaded(
        context, raster, lambda layer: style_raster(layer, class_renderer(CLASSES, layer.dataProvider()))
    )
    gc.collect()
    layer = QgsRasterLayer(raster, "map")
    assert not isinstance(layer.renderer(), QgsPalettedRasterRenderer)
    processor = context.layerToLoadOnCompletionDetails(raster).postProcessor()
    processor.postProcessLayer(layer, context, None)
    assert [each.label for each in layer.renderer().classes()] == ["Water & <ice>", "Soil"]
    assert raster not in post_processor._ALIVE


def test_nothing_waits_for_a_layer_that_is_not_loaded(raster):
    post_processor.style_when_loaded(QgsProcessingContext(), raster, lambda layer: None)
    post_processor.style_when_loaded(QgsProcessingContext(), "", lambda layer: None)
    assert raster not in post_processor._ALIVE
