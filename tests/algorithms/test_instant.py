"""Preset instant: a model without branches goes the whole way, from Train to Assess."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from osgeo import gdal
from safetensors.numpy import load_file

from bdgf.bdgf_qgis.raster.output.metadata import read_class_table
from bdgf.model.shared.header import read_header
from bdgf.tests.algorithms.helpers import Log, Scene, run

INSTANT = {"PRESET": "instant", "PRETRAIN_STEPS": 2, "DEVICE": "cpu", "CLASS_FIELD": "class_id", "HOLDOUT": 0.3}


@pytest.fixture(scope="module")
def trained(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Log]:
    folder, log = tmp_path_factory.mktemp("instant"), Log()
    places = {"MODEL": str(folder / "model.safetensors"), "REPORT": str(folder / "report.html")}
    given = {**INSTANT, "MODALITIES": scene.rasters, "SAMPLES": scene.training, "STEPS": 7, **places}
    return run("train", given, log), log


def test_it_trains_without_branches(trained: tuple[dict[str, Any], Log]):
    results, log = trained
    header = read_header(results["MODEL"])
    assert header.settings.preset == "instant" and header.settings.branches.use == ()
    assert header.settings.training.steps == 0, "there is nothing that could train in steps"
    assert 0 < results["OVERALL_ACCURACY"] <= 1
    shares = [share for _, share in log.bar]
    assert shares == sorted(shares) and shares[-1] == 100
    report = Path(results["REPORT"]).read_text(encoding="utf-8")
    assert "instant" in report and "score probe " in report and "not weighed" not in report
    assert "Loss of pre-training" in report and "Loss of training" not in report and "by branch" not in report


def test_its_map_is_better_than_chance_as_assess_says(
    trained: tuple[dict[str, Any], Log], scene: Scene, tmp_path: Path
):
    paths = {key: str(tmp_path / f"{key.lower()}.tif") for key in ("OUTPUT", "CONFIDENCE", "PROBABILITIES")}
    given = {"MODEL": trained[0]["MODEL"], "MODALITIES": scene.rasters, "DEVICE": "cpu", **paths}
    assert run("classify", given)["CLASSIFIED_PIXELS"] > 0
    assert len(read_class_table(gdal.Open(paths["OUTPUT"]))) == len(read_header(given["MODEL"]).classes)
    confidence = gdal.Open(paths["CONFIDENCE"]).ReadAsArray()
    assert np.isfinite(confidence).all() and confidence.max() <= 1
    found = run("assess", {"CLASSIFICATION": paths["OUTPUT"], "REFERENCE": scene.validation, "CLASS_FIELD": "class_id"})
    assert found["OVERALL_ACCURACY"] > 0.5


def test_expected_class_shares_count(trained: tuple[dict[str, Any], Log], scene: Scene, tmp_path: Path):
    model = str(tmp_path / "model.safetensors")
    given = {**INSTANT, "MODALITIES": scene.rasters, "SAMPLES": scene.training, "CLASS_PRIOR": "equal"}
    run("train", {**given, "MODEL": model})
    learned, equal = (load_file(each) for each in (trained[0]["MODEL"], model))
    changed = [name for name in learned if not np.array_equal(learned[name], equal[name])]
    assert changed == ["classifier.prior.shifts"] and not learned[changed[0]].any()


def test_the_pre_training_serves_quick_too(trained: tuple[dict[str, Any], Log], scene: Scene, tmp_path: Path):
    log = Log()
    given = {**INSTANT, "MODALITIES": scene.rasters, "SAMPLES": scene.training, "PRESET": "quick", "STEPS": 2}
    run("train", {**given, "MODEL": str(tmp_path / "model.safetensors")}, log)
    assert "Pre-training of this scene reused." in log.told
