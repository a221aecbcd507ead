"""The whole way through the real qgis_process: a scene, a model, a map, its figures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal

from bdgf.tests.algorithms.helpers import QUICK, Scene, changes, listing
from bdgf.tests.engine.helpers import soon
from bdgf.tools.qgis_process import QgisProcess, QgisProcessError


def test_from_polygons_to_figures(scene: Scene, tmp_path: Path):
    home, out, temporary = tmp_path / "home", tmp_path / "out put", tmp_path / "temporary"
    for each in (home, out, temporary):
        each.mkdir()
    qgis = QgisProcess(home, {"TMPDIR": str(temporary)})
    before = listing(scene.folder)
    rasters = {"MODALITIES": scene.rasters, "GRID": scene.optical}
    model, target, figures = out / "model.safetensors", out / "map.tif", out / "figures.json"
    samples = {"SAMPLES": scene.training, "CLASS_FIELD": "class_id", "HOLDOUT": 0, "MODEL": model}
    trained = qgis.run("bdgf:train", {**rasters, **samples, **QUICK})
    assert trained["MODEL"] == str(model) and not trained.get("REPORT")
    mapped = qgis.run("bdgf:classify", {**rasters, "MODEL": model, "DEVICE": "cpu", "OUTPUT": target})
    assert mapped["CLASSIFIED_PIXELS"] == np.count_nonzero(gdal.Open(str(target)).ReadAsArray()) > 10_000
    reference = {"REFERENCE": scene.validation, "CLASS_FIELD": "class_id", "JSON": figures}
    assessed = qgis.run("bdgf:assess", {"CLASSIFICATION": target, **reference})
    assert json.loads(figures.read_text(encoding="utf-8"))["oa"] == pytest.approx(assessed["OVERALL_ACCURACY"])
    assert {each.name for each in out.iterdir()} == {
        "model.safetensors",
        "map.tif",
        "map.tif.aux.xml",
        "map.qml",
        "figures.json",
    }
    with pytest.raises(QgisProcessError, match="trained on 2 rasters"):
        qgis.run("bdgf:classify", {"MODALITIES": scene.dsm, "MODEL": model, "OUTPUT": out / "no.tif"})
    assert changes(scene.folder, before) == [] and not (out / "no.tif").exists()
    assert soon(lambda: not list(temporary.glob("bdgf*"))), "the worker that waited ends with qgis_process"
