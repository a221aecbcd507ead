"""Algorithms one after another: in a model of the model designer, and as a batch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from osgeo import gdal
from qgis.core import (
    QgsProcessingContext,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelOutput,
    QgsProcessingModelParameter,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterMultipleLayers,
)

from bdgf.model.shared.header import read_header
from bdgf.tests.algorithms.helpers import QUICK, Log, Scene, Trained, run

Source = QgsProcessingModelChildParameterSource


def child(model: QgsProcessingModelAlgorithm, name: str, sources: dict[str, Any], outputs: dict[str, str]) -> None:
    """A step; what is no source is a fixed value, and outputs of the step become outputs of the model."""
    step = QgsProcessingModelChildAlgorithm(f"bdgf:{name}")
    step.setChildId(name)
    for key, value in sources.items():
        source = value if isinstance(value, Source) else Source.fromStaticValue(value)
        step.addParameterSources(key, [source])
    kept = {}
    for key, label in outputs.items():
        kept[label] = QgsProcessingModelOutput(label, label)
        kept[label].setChildId(name)
        kept[label].setChildOutputName(key)
    step.setModelOutputs(kept)
    model.addChildAlgorithm(step)


@pytest.fixture
def two_steps(provider: Any) -> QgsProcessingModelAlgorithm:
    """Train and classify: the model file goes from the one to the other."""
    model = QgsProcessingModelAlgorithm("map it", "tests")
    model.addModelParameter(
        QgsProcessingParameterMultipleLayers("rasters", "rasters"), QgsProcessingModelParameter("rasters")
    )
    model.addModelParameter(
        QgsProcessingParameterFeatureSource("samples", "samples"), QgsProcessingModelParameter("samples")
    )
    rasters = Source.fromModelParameter("rasters")
    samples = {"SAMPLES": Source.fromModelParameter("samples"), "CLASS_FIELD": "class_id", "HOLDOUT": 0.3}
    child(model, "train", {"MODALITIES": rasters, **samples, **QUICK}, {})
    trained = Source.fromChildOutput("train", "MODEL")
    child(model, "classify", {"MODEL": trained, "MODALITIES": rasters, "DEVICE": "cpu"}, {"OUTPUT": "map"})
    return model


def test_a_model_of_two_steps(two_steps: QgsProcessingModelAlgorithm, scene: Scene, tmp_path: Path):
    ready, said = two_steps.canExecute()
    assert ready, said
    target = str(tmp_path / "map.tif")
    wanted = {"rasters": scene.rasters, "samples": scene.training, "classify:map": target}
    context, log = QgsProcessingContext(), Log()
    wanted["classify:map"] = QgsProcessingOutputLayerDefinition(target)
    results, fine = two_steps.run(wanted, context, log)
    assert fine, log.errors
    codes = gdal.Open(target).ReadAsArray()
    assert np.count_nonzero(codes) == results["CHILD_RESULTS"]["classify"]["CLASSIFIED_PIXELS"] > 10_000
    assert results["CHILD_RESULTS"]["train"]["OVERALL_ACCURACY"] > 0
    percents = [percent for _, percent in log.bar]
    assert percents == sorted(percents)
    assert (tmp_path / "map.qml").is_file()


def test_a_batch_of_two_scenes(trained: Trained, scene: Scene, tmp_path: Path):
    """One model, two scenes one after the other with one context, as the batch dialog does."""
    made = run("createdemoscene", {"FOLDER": str(tmp_path / "other town"), "SIZE": 100, "SEED": 8})
    rows = {"here.tif": scene.rasters, "there.tif": [made["OPTICAL"], made["DSM"]]}
    context = QgsProcessingContext()
    for name, rasters in rows.items():
        given = {"MODEL": trained.model, "MODALITIES": rasters, "DEVICE": "cpu", "OUTPUT": str(tmp_path / name)}
        results = run("classify", given, context=context)
        codes = gdal.Open(results["OUTPUT"]).ReadAsArray()
        assert results["CLASSIFIED_PIXELS"] == np.count_nonzero(codes) > 9_000
    here, there = (gdal.Open(str(tmp_path / name)) for name in rows)
    assert here.RasterXSize != there.RasterXSize


def test_same_seed_same_map(trained: Trained, scene: Scene, tmp_path: Path):
    """A second training with one seed gives the same weights."""
    samples = {"SAMPLES": scene.training, "CLASS_FIELD": "class_id", "HOLDOUT": 0.3}
    again = str(tmp_path / "again.safetensors")
    run("train", {"MODALITIES": scene.rasters, **samples, **QUICK, "MODEL": again})
    assert Path(again).read_bytes() == Path(trained.model).read_bytes()


_IN_A_QGIS_OF_ITS_OWN = """
import json, sys
from qgis.core import QgsApplication, QgsProcessingContext, QgsProcessingFeedback
application = QgsApplication([], False)
application.initQgis()
from bdgf.bdgf_qgis.provider import BdgfProvider
provider = BdgfProvider()
QgsApplication.processingRegistry().addProvider(provider)
_, ok = provider.algorithm("train").run(json.loads(sys.argv[1]), QgsProcessingContext(), QgsProcessingFeedback())
print(json.dumps([ok, sorted({"torch", "skimage", "safetensors"} & set(sys.modules))]))
"""


def test_qgis_never_loads_torch(scene: Scene, tmp_path: Path):
    """In a process of its own, since tests of the worker's side load torch into this one."""
    model = tmp_path / "model.safetensors"
    given = {"MODALITIES": [scene.dsm], "SAMPLES": scene.training, "CLASS_FIELD": "class_id", "HOLDOUT": 0}
    given |= {**QUICK, "PRETRAIN_STEPS": 1, "STEPS": 1, "MODEL": str(model)}
    command = [sys.executable, "-c", _IN_A_QGIS_OF_ITS_OWN, json.dumps(given)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.stdout.splitlines()[-1:] == ["[true, []]"], done.stdout + done.stderr
    assert read_header(str(model)).classes, "a real training was run"
