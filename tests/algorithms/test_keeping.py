"""Models and training layers that nobody placed are kept, and offered where a model is asked for."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from qgis.core import QgsProcessingContext, QgsProcessingUtils, QgsSettings

from bdgf.bdgf_qgis.demo.scene import LEAST_SIZE
from bdgf.bdgf_qgis.resources import profile_home
from bdgf.bdgf_qgis.workflows.default_places import MAPS_PLACE
from bdgf.bdgf_qgis.workflows.model_files import TRAINED, recent_models, remember_model
from bdgf.model.shared.header import read_header
from bdgf.tests.algorithms.helpers import QUICK, Log, Scene, algorithm, run
from bdgf.tools.qgis_process import QgisProcess

TODAY = datetime.date.today().isoformat()
NAMES = [f"samples {TODAY}.gpkg", f"samples {TODAY} (2).gpkg"]


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    QgsSettings().remove("bdgf_recent")
    yield
    QgsSettings().remove("bdgf_recent")
    for each in profile_home().glob("*"):
        shutil.rmtree(each, ignore_errors=True)


def test_a_model_without_a_place_is_kept_and_remembered(scene: Scene):
    given = {"MODALITIES": [scene.dsm], "SAMPLES": scene.training, "CLASS_FIELD": "class_id", "HOLDOUT": 0}
    given |= {**QUICK, "PRETRAIN_STEPS": 1, "STEPS": 1}
    kept = run("train", given, log := Log())["MODEL"]
    assert kept == str(profile_home() / "models" / f"dsm {TODAY}.safetensors") and read_header(kept).classes
    assert "temporary" not in log.warned and recent_models(TRAINED) == [kept]
    temporary = run("train", {**given, "MODEL": "TEMPORARY_OUTPUT"}, log := Log())["MODEL"]
    assert Path(temporary).is_relative_to(QgsProcessingUtils.tempFolder())
    assert f"{temporary} is a temporary file that QGIS deletes when it is closed" in log.warned
    assert recent_models(TRAINED) == [temporary, kept]


def test_a_training_layer_without_a_place_is_kept():
    given = {"CLASSES": [1, "Water", ""], "CRS": "EPSG:32633"}
    made = [Path(run("createtraininglayer", changed)["OUTPUT"]) for changed in (given, {**given, "OUTPUT": ""})]
    assert [each.relative_to(profile_home() / "samples").as_posix() for each in made] == NAMES
    run("createtraininglayer", {**given, "OUTPUT": "TEMPORARY_OUTPUT"}, log := Log())
    assert "QGIS deletes when it is closed" in log.warned


def test_a_folder_of_results_without_a_place_is_kept():
    made = [Path(run("createdemoscene", {"SIZE": LEAST_SIZE})["FOLDER"]) for _ in range(2)]
    assert [each.name for each in made] == [f"demo scene {TODAY}", f"demo scene {TODAY} (2)"]
    assert all(each.parent == profile_home() and (each / "optical.tif").exists() for each in made)
    run("createdemoscene", {"SIZE": LEAST_SIZE, "FOLDER": "TEMPORARY_OUTPUT"}, log := Log())
    assert "QGIS deletes when it is closed" in log.warned
    folder = algorithm("classifyfolder").parameterDefinition("OUTPUT_FOLDER")
    assert folder.defaultValue() == MAPS_PLACE and folder.checkValueIsAcceptable("")


def test_on_the_command_line_it_may_be_left_out(tmp_path: Path):
    qgis = QgisProcess(tmp_path)
    made = [
        qgis.run("bdgf:createtraininglayer", {"CLASSES": "1,Water,", "CRS": "EPSG:32633"})["OUTPUT"] for _ in range(2)
    ]
    assert [Path(each).name for each in made] == NAMES
    for each in made:
        assert Path(each).is_relative_to(tmp_path) and each.split("/")[-3:-1] == ["bdgf", "samples"]


def test_models_that_are_gone_are_not_offered(tmp_path: Path):
    files = [tmp_path / f"{number}.safetensors" for number in range(12)]
    for each in files:
        each.write_text("")
        remember_model(TRAINED, str(each))
    assert recent_models(TRAINED) == [str(each) for each in files[:1:-1]]
    remember_model(TRAINED, str(files[5]))
    files[11].unlink()
    assert recent_models(TRAINED)[:2] == [str(files[5]), str(files[10])] and len(recent_models(TRAINED)) == 9


def test_the_checks_before_a_run_take_no_place_for_the_default():
    given = {"CLASSES": [1, "Water", ""], "CRS": "EPSG:32633"}
    assert algorithm("createtraininglayer").checkParameterValues(given, QgsProcessingContext()) == (True, "")
