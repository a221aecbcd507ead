"""The settings of growing and segments, set with the mouse and keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qgis.core import QgsRasterLayer
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QDoubleSpinBox, QVBoxLayout, QWidget

from bdgf.bdgf_qgis.gui.dock.tools.grow import GrowTool
from bdgf.bdgf_qgis.gui.dock.tools.region_options import RegionOptions
from bdgf.bdgf_qgis.gui.dock.tools.segment import SegmentTool
from bdgf.bdgf_qgis.workflows.raster_inputs import Rasters, rasters_of_layers
from bdgf.bdgf_qgis.workflows.region_finder import RegionFinder
from bdgf.tests.raster.helpers import write_raster


@pytest.fixture
def scene(qgis_app: Any, tmp_path: Path) -> Rasters:
    for name in ("image", "a <b>surface</b> with a long name"):
        write_raster(tmp_path / f"{name[:5]}.tif", np.ones((20, 30), np.uint8))
    return rasters_of_layers(
        [QgsRasterLayer(str(tmp_path / f"{name[:5]}.tif"), name) for name in ("image", "a <b>surface</b> with")]
    )


@pytest.fixture
def options(qgis_app: Any) -> Iterator[RegionOptions]:
    canvas, finder = QgsMapCanvas(), RegionFinder()
    grow, segment = GrowTool(canvas, finder), SegmentTool(canvas, finder)
    window = QWidget()
    layout = QVBoxLayout(window)
    made = RegionOptions(grow, segment)
    layout.addWidget(made)
    made.canvas = canvas  # type: ignore[attr-defined]
    window.show()
    yield made
    grow.close()
    segment.close()
    finder.close()
    window.deleteLater()
    canvas.deleteLater()


def typed(box: Any, text: str) -> None:
    box.selectAll()
    QTest.keyClicks(box, text)
    QTest.keyClick(box, Qt.Key.Key_Return)


def test_those_of_the_active_tool_are_shown(options: RegionOptions) -> None:
    canvas = options.canvas  # type: ignore[attr-defined]
    assert not options.isVisible()
    canvas.setMapTool(options._grow)
    assert options.isVisible() and options.largest.isVisible() and not options.scale.isVisible()
    canvas.setMapTool(options._segment)
    assert options.isVisible() and not options.largest.isVisible() and options.scale.isVisible()
    canvas.unsetMapTool(options._segment)
    assert not options.isVisible()


def test_what_is_set_reaches_the_tools(options: RegionOptions, scene: Rasters) -> None:
    canvas = options.canvas  # type: ignore[attr-defined]
    grow, segment = options._grow, options._segment
    options.show_scene(scene)
    assert grow.weights == segment.weights == ()
    canvas.setMapTool(grow)
    typed(options.largest, "2500")
    assert grow.largest == 2500
    canvas.setMapTool(segment)
    typed(options.scale, "40")
    QTest.keyClick(options.method, Qt.Key.Key_Down)
    assert (segment.scale, segment.method) == (40, "felzenszwalb")
    boxes = options.findChildren(QDoubleSpinBox)
    assert len(boxes) == 2
    typed(options._weights[1], "2" + boxes[0].locale().decimalPoint() + "5")
    assert grow.weights == segment.weights == (1.0, 2.5)
    options.show_scene(None)
    assert options._weights == [] and grow.weights == ()
