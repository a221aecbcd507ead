"""Where results lie that nobody placed."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from qgis.core import (
    QgsProcessingContext,
    QgsProcessingOutputLayerDefinition,
    QgsProject,
)

from bdgf.bdgf_qgis.algorithms.create_training_layer import CreateTrainingLayer
from bdgf.bdgf_qgis.algorithms.train import Train
from bdgf.bdgf_qgis.feedback import SILENT
from bdgf.bdgf_qgis.files.conflicts import ReadFiles
from bdgf.bdgf_qgis.resources import profile_home
from bdgf.bdgf_qgis.workflows import default_places
from bdgf.bdgf_qgis.workflows.default_places import MODEL_PLACE, file_name, free_place, named_places, project_folder
from bdgf.bdgf_qgis.workflows.result_files import file_result, held_places

TODAY = datetime.date.today().isoformat()


def places(algorithm: Any, given: dict[str, Any], project: QgsProject | None = None) -> dict[str, Any]:
    context = QgsProcessingContext()
    if project is not None:
        context.setProject(project)
    return named_places(algorithm.create(), given, context, "north: 1/2")


@pytest.mark.parametrize("value", [{}, {"MODEL": None}, {"MODEL": ""}, {"MODEL": MODEL_PLACE}])
def test_a_model_without_a_place_lies_beside_the_project_or_in_the_profile(
    qgis_app: Any, tmp_path: Path, value: dict[str, Any]
) -> None:
    expected = Path("bdgf") / "models" / f"north 1 2 {TODAY}.safetensors"
    assert places(Train(), value) == {"MODEL": str(profile_home().parent / expected)}
    project = QgsProject()
    assert places(Train(), value, project) == {"MODEL": str(profile_home().parent / expected)}, "not saved yet"
    assert project.write(str(tmp_path / "project.qgz"))
    assert places(Train(), value, project) == {"MODEL": str(tmp_path / expected)}


@pytest.mark.parametrize("value", ["TEMPORARY_OUTPUT", "/elsewhere/model.safetensors"])
def test_what_the_user_chose_stays(qgis_app: Any, value: str) -> None:
    assert places(Train(), {"MODEL": value}) == {}


def test_a_training_layer_keeps_where_it_is_loaded_to(qgis_app: Any, tmp_path: Path) -> None:
    project = QgsProject()
    assert project.write(str(tmp_path / "project.qgz"))
    for given in ("", f"{tmp_path}/bdgf/samples/samples {{date}}.gpkg"):
        definition = QgsProcessingOutputLayerDefinition(given, project)
        place = places(CreateTrainingLayer(), {"OUTPUT": definition}, project)["OUTPUT"]
        assert place.sink.staticValue() == f"{tmp_path}/bdgf/samples/samples {TODAY}.gpkg"
        assert place.destinationProject == project


def test_no_name_is_taken_twice(tmp_path: Path) -> None:
    text = f"{tmp_path}/{{scene}} {{date}}.safetensors"
    names = []
    for _ in range(3):
        path = free_place(text, "a", tmp_path)
        names.append(path.name)
        path.write_text("")
    assert names == [f"a {TODAY}.safetensors", f"a {TODAY} (2).safetensors", f"a {TODAY} (3).safetensors"]


def test_what_another_run_is_about_to_write_is_no_free_name(tmp_path: Path) -> None:
    text = f"{tmp_path}/{{scene}} {{date}}.safetensors"
    with held_places([file_result(f"{tmp_path}/a {TODAY}.safetensors")], ReadFiles(), SILENT):
        assert free_place(text, "a", tmp_path).name == f"a {TODAY} (2).safetensors"
    assert free_place(text, "a", tmp_path).name == f"a {TODAY}.safetensors" and not list(tmp_path.iterdir())


def test_a_folder_that_is_closed_gives_way_to_the_profile(
    qgis_app: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = QgsProject()
    assert project.write(str(tmp_path / "project.qgz"))
    monkeypatch.setattr(default_places.os, "access", lambda path, mode: False)
    assert project_folder(project) == profile_home().parent


@pytest.mark.parametrize(
    ("text", "name"),
    [("a/b:c", "a b c"), ("..", "scene"), ("", "scene"), ("\udcff\x07x", "\ufffd x"), ("ü" * 80, "ü" * 50)],
)
def test_names_of_layers_as_names_of_files(text: str, name: str) -> None:
    assert file_name(text) == name
