"""The demo scene as it is shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from qgis.core import QgsMultiBandColorRenderer, QgsProcessingContext, QgsProject, QgsRasterLayer
from qgis.PyQt.QtGui import QColor

from bdgf.bdgf_qgis.demo.sensors import NATURAL
from bdgf.tests.algorithms.helpers import Log, Scene, run


def check_colours(layer: QgsRasterLayer) -> None:
    renderer = layer.renderer()
    assert isinstance(renderer, QgsMultiBandColorRenderer)
    assert (renderer.redBand(), renderer.greenBand(), renderer.blueBand()) == NATURAL
    nanometres = [float(layer.bandName(each).split(":")[1].split()[0]) for each in NATURAL]
    assert nanometres == pytest.approx([650, 550, 450], abs=10)
    block = renderer.block(1, layer.extent(), layer.width(), layer.height())
    colours = [QColor(block.color(row, column)) for row in range(0, 100, 3) for column in range(0, 100, 3)]
    green = sum(each.green() > max(each.red(), each.blue()) for each in colours)
    assert len(colours) / 10 < green < len(colours) / 2, "lawns and trees"
    assert 60 < np.mean([each.lightness() for each in colours]) < 180


def test_the_image_opens_in_natural_colour(scene: Scene):
    check_colours(QgsRasterLayer(scene.optical, "image"))


def test_the_image_that_processing_loads_is_in_natural_colour(tmp_path: Path):
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    made = run("createdemoscene", {"FOLDER": str(tmp_path), "SIZE": 100}, context=context)
    (tmp_path / "optical.qml").unlink()
    layer = QgsRasterLayer(made["OPTICAL"], "image")
    context.layerToLoadOnCompletionDetails(made["OPTICAL"]).postProcessor().postProcessLayer(layer, context, Log())
    check_colours(layer)
