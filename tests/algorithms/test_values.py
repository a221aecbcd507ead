"""Codes, no-data values and legends as users have them, from training to the map."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from osgeo import gdal
from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsFillSymbol,
    QgsProject,
    QgsRasterLayer,
    QgsRasterRange,
    QgsRendererCategory,
    QgsVectorLayer,
)

from bdgf.model.shared.header import read_header
from bdgf.tests.algorithms.helpers import QUICK, Log, Scene, Trained, project_layer, refused, run

SHORT = {**QUICK, "PRETRAIN_STEPS": 1, "STEPS": 1, "HOLDOUT": 0}


def test_class_0_is_no_nodata_and_large_codes_need_16_bits(scene: Scene, tmp_path: Path):
    """Codes 0 and 40000, stored as texts, from the surface model alone; the legend is that of the project's layer."""
    coded = str(tmp_path / "coded.gpkg")
    code = "CAST(CASE WHEN class_id = 8 THEN 40000 ELSE class_id - 1 END AS TEXT)"
    sql = f"SELECT {code} AS code, geom FROM training"
    gdal.VectorTranslate(coded, scene.training, SQLStatement=sql, SQLDialect="SQLITE", format="GPKG")

    def style(layer: QgsVectorLayer) -> None:
        symbols = {0: "#102030", 40000: "#405060"}
        layer.setRenderer(
            QgsCategorizedSymbolRenderer(
                "code",
                [
                    QgsRendererCategory(code, QgsFillSymbol.createSimple({"color": colour}), f"kind {code}")
                    for code, colour in symbols.items()
                ],
            )
        )

    layer = project_layer(coded, style)
    model, target = str(tmp_path / "model.safetensors"), str(tmp_path / "map.tif")
    given = {"MODALITIES": [scene.dsm], "SAMPLES": layer.id(), "CLASS_FIELD": "code"}
    run("train", {**given, **SHORT, "MODEL": model})
    classes = {each.code: each for each in read_header(model).classes}
    assert (classes[0].name, classes[0].colour) == ("kind 0", "#102030")
    assert (classes[40000].name, classes[40000].colour) == ("kind 40000", "#405060")
    assert classes[3].name == "3", "no legend, no name field: the code itself"
    run("classify", {"MODEL": model, "MODALITIES": [scene.dsm], "DEVICE": "cpu", "OUTPUT": target})
    dataset = gdal.Open(target)
    band = dataset.GetRasterBand(1)
    assert band.DataType == gdal.GDT_UInt16 and band.GetNoDataValue() == 65535
    assert set(np.unique(band.ReadAsArray())) <= {*classes, 65535}


def test_additional_no_data_of_a_layer_is_nodata_in_the_map(scene: Scene, trained: Trained, tmp_path: Path):
    layer = QgsRasterLayer(scene.dsm, "heights")
    heights = gdal.Open(scene.dsm).ReadAsArray()
    middle = float(np.median(heights))
    layer.dataProvider().setUserNoDataValue(1, [QgsRasterRange(middle, 10_000)])
    QgsProject.instance().addMapLayer(layer)
    target = str(tmp_path / "map.tif")
    given = {"MODEL": trained.model, "DEVICE": "cpu", "OUTPUT": target}
    results = run("classify", {**given, "MODALITIES": [scene.optical, layer.id()]})
    assert 0.3 < results["CLASSIFIED_PIXELS"] / (120 * 120) < 0.7


def test_a_web_layer_is_refused_by_its_name(scene: Scene, tmp_path: Path):
    url = "type=xyz&url=file:///nowhere/{z}/{x}/{y}.png&zmax=1&zmin=0"
    layer = QgsRasterLayer(url, "web map", "wms")
    assert layer.isValid()
    QgsProject.instance().addMapLayer(layer)
    given: dict[str, Any] = {"SAMPLES": scene.training, "CLASS_FIELD": "class_id", **SHORT}
    said = refused("train", {**given, "MODALITIES": [layer.id()], "MODEL": str(tmp_path / "model.safetensors")})
    assert "'web map' is no raster that GDAL can read" in said


@pytest.mark.parametrize("rasters", ["both without", "one without"])
def test_rasters_without_a_system(scene: Scene, tmp_path: Path, rasters: str):
    paths = [str(tmp_path / "optical.tif"), str(tmp_path / "dsm.tif")]
    for source, path in zip(scene.rasters, paths, strict=True):
        gdal.Translate(path, source, noData=None)
        dataset = gdal.Open(path, gdal.GA_Update)
        dataset.SetProjection("")
        dataset = None
    given: dict[str, Any] = {"SAMPLES": scene.training, "CLASS_FIELD": "class_id", **SHORT}
    model = str(tmp_path / "model.safetensors")
    if rasters == "one without":
        said = refused("train", {**given, "MODALITIES": [scene.optical, paths[1]], "MODEL": model})
        assert "'dsm' without a coordinate reference system" in said
        return
    log = Log()
    run("train", {**given, "MODALITIES": paths, "MODEL": model}, log)
    assert "coordinates are taken as they are" in log.warned
    assert read_header(model).scene.crs == "" and len(read_header(model).classes) == 8
