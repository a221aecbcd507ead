"""The scene as the project has it: rasters offered and ticked, the training layer, and what is remembered."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from qgis.core import QgsProject, QgsRasterLayer, QgsVectorLayer

from bdgf.bdgf_qgis.gui.dock.scene_choice import SceneChoice, likely_field
from bdgf.bdgf_qgis.gui.dock.scene_section import SceneSection
from bdgf.bdgf_qgis.raster.output.metadata import Lineage
from bdgf.bdgf_qgis.style.band_combinations import band_combinations, show_combination
from bdgf.tests.gui.dock.layers import training_layer


@pytest.fixture
def project(qgis_app: Any) -> Iterator[QgsProject]:
    yield QgsProject.instance()
    QgsProject.instance().clear()


@pytest.fixture
def amazon(project: QgsProject, scenes: Callable[[str], Path]) -> Path:
    """A scene of two rasters, loaded, with a map of ours."""
    from osgeo import gdal

    folder = scenes("amazon_landsat_srtm")
    shutil.copyfile(folder / "dem.tif", folder / "map.tif")
    dataset = gdal.Open(str(folder / "map.tif"), gdal.GA_Update)
    dataset.SetMetadata(Lineage("classes").metadata())
    del dataset
    for name in ("optical", "dem", "map"):
        project.addMapLayer(QgsRasterLayer(str(folder / f"{name}.tif"), name))
    return folder


def names(layers: list[QgsRasterLayer]) -> list[str]:
    return [layer.name() for layer in layers]


def test_rasters_are_offered_without_our_own_maps(project: QgsProject, amazon: Path) -> None:
    choice = SceneChoice(project)
    assert sorted(names(choice.offered)) == ["dem", "optical"] and sorted(names(choice.ticked)) == ["dem", "optical"]
    rasters = choice.rasters()
    assert rasters is not None and rasters.grid.name == names(choice.ticked)[0]
    choice.close()


def test_ticks_are_remembered_and_follow_the_tree_until_then(project: QgsProject, amazon: Path) -> None:
    choice, told = SceneChoice(project), []
    choice.rasters_changed.connect(lambda: told.append(1))
    (dem,) = project.mapLayersByName("dem")
    project.layerTreeRoot().findLayer(dem.id()).setItemVisibilityChecked(False)
    assert names(choice.ticked) == ["optical"] and told
    choice.tick(dem, True)
    project.layerTreeRoot().findLayer(dem.id()).setItemVisibilityChecked(False)
    assert sorted(names(choice.ticked)) == ["dem", "optical"]
    choice.tick(dem, False)
    assert names(choice.ticked) == ["optical"]
    choice.close()
    again = SceneChoice(project)
    assert names(again.ticked) == ["optical"]
    project.removeMapLayer(again.ticked[0].id())
    assert again.ticked == [] and again.rasters() is None
    again.close()


def test_the_training_layer_is_remembered_in_the_project(project: QgsProject, amazon: Path, tmp_path: Path) -> None:
    layer = training_layer(tmp_path / "samples.gpkg")
    choice = SceneChoice(project)
    choice.choose_training(layer)
    choice.tick(choice.ticked[0], False)
    ticked = names(choice.ticked)
    assert project.write(str(tmp_path / "project.qgz"))
    project.clear()
    assert choice.training is None and choice.offered == []
    assert project.read(str(tmp_path / "project.qgz"))
    assert choice.training is not None and (choice.training.name(), choice.field) == ("samples", "class_id")
    assert names(choice.ticked) == ticked
    told: list[int] = []
    choice.training_changed.connect(lambda: told.append(1))
    project.removeMapLayer(choice.training.id())
    assert choice.training is None and told == [1]
    choice.close()


def test_likely_fields(project: QgsProject) -> None:
    for fields, wanted in (
        ("field=id:integer&field=Class:string", "Class"),
        ("field=class_name:string&field=class_id:integer", "class_id"),
        ("field=id:integer", ""),
    ):
        assert likely_field(QgsVectorLayer(f"Polygon?{fields}", "mine", "memory")) == wanted


def test_band_combinations(project: QgsProject, amazon: Path) -> None:
    choice = SceneChoice(project)
    (optical,) = project.mapLayersByName("optical")
    found = {combination.name: combination for combination in band_combinations(choice.raster(optical))}
    assert found["Natural colours"].bands == (3, 2, 1) and len(found) == 3
    show_combination(optical, found["Vegetation in red (near infrared)"])
    renderer = optical.renderer()
    assert (renderer.redBand(), renderer.greenBand(), renderer.blueBand()) == (4, 3, 2)
    (dem,) = project.mapLayersByName("dem")
    assert band_combinations(choice.raster(dem)) == []
    choice.close()


def test_the_section_shows_the_grid(project: QgsProject, amazon: Path) -> None:
    choice = SceneChoice(project)
    section = SceneSection(choice, lambda: None)
    texts = [section.rasters.item(row).text() for row in range(section.rasters.count())]
    assert len(texts) == 2 and texts[0].endswith(", the grid") and not texts[1].endswith(", the grid")
    section.rasters.item(0).setCheckState(section.rasters.item(0).checkState().__class__(0))
    texts = [section.rasters.item(row).text() for row in range(section.rasters.count())]
    assert not texts[0].endswith(", the grid") and texts[1].endswith(", the grid")
    choice.close()
    section.deleteLater()
