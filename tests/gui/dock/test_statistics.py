"""Statistics are asked for beside the window, and shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from qgis.core import QgsProject, QgsRasterLayer, QgsVectorLayer
from qgis.PyQt.QtCore import QCoreApplication

from bdgf.bdgf_qgis.gui.dock.statistics.asker import StatisticsAsker
from bdgf.bdgf_qgis.gui.dock.statistics.panel import StatisticsPanel
from bdgf.bdgf_qgis.raster.samples.statistics import SampleStatistics
from bdgf.bdgf_qgis.workflows.polygon_inputs import polygons_of_layer
from bdgf.bdgf_qgis.workflows.raster_inputs import rasters_of_layers
from bdgf.model.shared.infos import ClassInfo


@pytest.fixture
def asker(qgis_app: Any) -> Iterator[StatisticsAsker]:
    made = StatisticsAsker()
    yield made
    made.close()
    QgsProject.instance().clear()


def wait(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition() and time.monotonic() < end:
        QCoreApplication.processEvents()
        time.sleep(0.01)
    assert condition()


def test_the_newest_question_is_answered_and_shown(asker: StatisticsAsker, scenes: Callable[[str], Path]) -> None:
    folder = scenes("nc_landsat")
    rasters = rasters_of_layers([QgsRasterLayer(str(folder / f"{name}.tif"), name) for name in ("optical", "swir2")])
    layer = QgsVectorLayer(str(folder / "train_polygons.gpkg"), "samples", "ogr")
    drawn = polygons_of_layer(layer, "class_id", QgsProject.instance())
    found: list[SampleStatistics] = []
    asker.found.connect(found.append)
    for _ in range(3):
        asker.ask(lambda: (rasters, drawn))
    wait(lambda: bool(found))
    (statistics,) = found
    panel = StatisticsPanel()
    infos = [ClassInfo(label.code, f"class {label.code}", "#ff0000") for label in statistics.classes]
    panel.show_statistics(statistics, infos)
    assert panel.pairs.topLevelItemCount() == len(statistics.separability)
    assert panel.pairs.topLevelItem(0).text(0).startswith("class ")
    assert [panel.raster.itemText(row) for row in range(panel.raster.count())] == ["optical", "swir2"]
    assert panel.across.count() == 6 and panel.up.currentIndex() == 1
    panel.resize(300, 260)
    picture = panel.bands.grab().toImage()
    colours = {picture.pixelColor(x, y).name() for x in range(picture.width()) for y in range(picture.height())}
    assert "#ff0000" in colours, "lines in the colour of the classes"
    panel.show_failure("Nothing.")
    assert panel.hint.text() == "Nothing." and not panel.tabs.isVisibleTo(panel)


def test_a_sentence_where_there_are_none(asker: StatisticsAsker, scenes: Callable[[str], Path]) -> None:
    folder = scenes("nc_landsat")
    rasters = rasters_of_layers([QgsRasterLayer(str(folder / "optical.tif"), "optical")])
    layer = QgsVectorLayer("Polygon?crs=EPSG:3358&field=class_id:integer", "samples", "memory")
    drawn = polygons_of_layer(layer, "class_id", QgsProject.instance())
    said: list[str] = []
    asker.failed.connect(said.append)
    asker.ask(lambda: (rasters, drawn))
    wait(lambda: bool(said))
    assert "holds no polygon" in said[0]
