"""The live map is the map that Train (instant, HOLDOUT 0) and Classify write, pixel for pixel."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from osgeo import gdal
from qgis.core import QgsProcessingException, QgsProject, QgsRasterLayer, QgsRectangle, QgsVectorLayer

from bdgf.bdgf_qgis.feedback import SILENT
from bdgf.bdgf_qgis.workflows.classify import SceneToMap, classify_scene
from bdgf.bdgf_qgis.workflows.live_map import LiveMap, LiveRequest
from bdgf.bdgf_qgis.workflows.model_files import TRAINED, opened_model, recent_models
from bdgf.bdgf_qgis.workflows.polygon_inputs import polygons_of_layer
from bdgf.bdgf_qgis.workflows.raster_inputs import rasters_of_layers
from bdgf.bdgf_qgis.workflows.session import end_idle_worker
from bdgf.bdgf_qgis.workflows.train import Training, train_model
from bdgf.model.shared.settings import PRESETS


@pytest.fixture
def live(qgis_app: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveMap]:
    monkeypatch.setenv("BDGF_PYTHON", sys.executable)
    monkeypatch.setitem(PRESETS, "instant", PRESETS["instant"].with_steps(5, None))
    made = LiveMap()
    yield made
    made.close()
    end_idle_worker()


def test_equal_to_the_final_map(live: LiveMap, scenes: Callable[[str], Path], tmp_path: Path) -> None:
    folder = scenes("slovenia_ndvi_dem")
    names = "ndvi_timeseries", "dem"
    rasters = rasters_of_layers([QgsRasterLayer(str(folder / f"{name}.tif"), name) for name in names])
    layer = QgsVectorLayer(str(folder / "train_polygons.gpkg"), "samples", "ogr")
    samples = polygons_of_layer(layer, "class_id", QgsProject.instance())
    grid = rasters.grid.grid
    west, south, east, north = grid.extent
    part = QgsRectangle(west + (east - west) / 3, south + (north - south) / 4, east, north - (north - south) / 5)
    remembered = recent_models(TRAINED)
    first = live.answer(LiveRequest(rasters, samples, part, "cpu"), SILENT)
    again = live.answer(LiveRequest(rasters, samples, QgsRectangle(west, south, east, north), "cpu"), SILENT)
    assert first.fitted and not again.fitted and recent_models(TRAINED) == remembered
    model, output = str(tmp_path / "model.safetensors"), str(tmp_path / "map.tif")
    train_model(Training(rasters, samples, PRESETS["instant"], "cpu", 0, 0.0, model), SILENT)
    classify_scene(SceneToMap(opened_model(model, ("classifier",)), rasters, "cpu", output), SILENT)
    final = gdal.Open(output).ReadAsArray()
    assert (again.codes == final).all()
    row = round((north - first.grid.extent[3]) / grid.pixel_size[1])
    column = round((first.grid.extent[0] - west) / grid.pixel_size[0])
    height, width = first.codes.shape
    assert (first.codes == final[row : row + height, column : column + width]).all() and height < grid.height
    assert np.isfinite(first.confidence[first.codes != first.nodata]).all() and set(first.colours) == {1, 2, 3, 4}


def test_what_cannot_be_mapped_is_said(live: LiveMap, scenes: Callable[[str], Path]) -> None:
    folder = scenes("slovenia_ndvi_dem")
    rasters = rasters_of_layers([QgsRasterLayer(str(folder / "dem.tif"), "dem")])
    layer = QgsVectorLayer("Polygon?crs=EPSG:32633&field=class_id:integer", "samples", "memory")
    samples = polygons_of_layer(layer, "class_id", QgsProject.instance())
    with pytest.raises(QgsProcessingException, match="holds no polygon"):
        live.answer(LiveRequest(rasters, samples, QgsRectangle(), "cpu"), SILENT)
