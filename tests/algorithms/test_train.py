"""Train: what stands in the model and the report, and which polygons count."""

from __future__ import annotations

import itertools
import shutil
from html import escape
from pathlib import Path
from typing import Any

import pytest
from osgeo import gdal
from qgis.core import (
    QgsFeature,
    QgsGeometry,
    QgsProcessingFeatureSourceDefinition,
    QgsRectangle,
    QgsVectorLayer,
)

from bdgf.bdgf_qgis.demo.materials import BANDS, CLASSES
from bdgf.bdgf_qgis.resources import plugin_version
from bdgf.bdgf_qgis.workflows.session import end_idle_worker
from bdgf.model.shared.header import read_header
from bdgf.model.shared.infos import ClassInfo
from bdgf.model.shared.settings import PRESETS
from bdgf.tests.algorithms.helpers import QUICK, Log, Scene, Trained, project_layer, run, run_folders

NAMES = {each.code: each.name for each in CLASSES}
COLOURS = {each.code: each.colour for each in CLASSES}


def train(scene: Scene, folder: Path, log: Log | None = None, **changes: Any) -> dict[str, Any]:
    """A training on the surface model alone, the cheapest there is."""
    given = {"MODALITIES": [scene.dsm], "SAMPLES": scene.training, "CLASS_FIELD": "class_id", "HOLDOUT": 0}
    given |= {**QUICK, "PRETRAIN_STEPS": 1, "STEPS": 1, "MODEL": str(folder / "model.safetensors")}
    return run("train", {**given, **changes}, log)


def test_header_says_what_was_learned_from_what(trained: Trained, scene: Scene):
    header = read_header(trained.model)
    assert header.kind == "classifier" and header.plugin_version == plugin_version()
    assert [each.name for each in header.modalities] == ["optical", "dsm"]
    assert [len(each.bands) for each in header.modalities] == [BANDS, 1]
    assert header.modalities[0].bands[0] == "450 nm" and header.modalities[1].bands == ("surface height (m)",)
    assert [each.dtype for each in header.modalities] == ["uint16", "float32"]
    assert header.scene.shape == (120, 120) and header.scene.pixel_size == (2, 2)
    assert "UTM" in header.scene.crs
    assert header.settings.preset == "quick" and header.seed == 0
    assert (header.settings.diffusion.steps, header.settings.training.steps) == (2, 5)
    assert len(header.samples_hash) == 64


def test_names_and_colours_come_from_the_style_stored_beside_the_polygons(trained: Trained):
    """The layer came from a path: its style was never loaded by the user."""
    classes = read_header(trained.model).classes
    assert {each.code: each.name for each in classes} == {each.code: NAMES[each.code] for each in classes}
    assert {each.code: each.colour for each in classes} == {each.code: COLOURS[each.code] for each in classes}
    assert len(classes) >= 6


def test_figures_are_those_of_the_held_out_pixels(trained: Trained):
    confusion = read_header(trained.model).confusion
    total = sum(map(sum, confusion))
    right = sum(row[at] for at, row in enumerate(confusion))
    assert total > 0
    assert trained.results["OVERALL_ACCURACY"] == pytest.approx(right / total)
    assert 0 <= trained.results["AVERAGE_ACCURACY"] <= 1 and -1 <= trained.results["KAPPA"] <= 1
    assert "The figures cover 3 of 8 classes" in trained.log.told and "least distance" in trained.log.told


def test_report_is_a_page_of_its_own(trained: Trained, scene: Scene):
    page = trained.report.read_text(encoding="utf-8")
    assert page.lstrip().lower().startswith("<!doctype html>") and page.rstrip().endswith("</html>")
    for each in read_header(trained.model).classes:
        assert each.name in page and each.colour in page
    assert "kept out of training" in page and "450 nm" not in page
    basis = "polygons of 3 of 8 classes, as if each polygon were right or wrong as a whole): too few to say."
    assert basis in page and basis in trained.log.told and "kappa" not in page + trained.log.told.split("Results")[0]
    assert "http" not in page.replace("http://www.w3.org", ""), "nothing is fetched"
    assert trained.results["REPORT"] == str(trained.report)


def test_progress_is_monotone_names_phases_and_moves_every_two_seconds(trained: Trained):
    log = trained.log
    percents = [percent for _, percent in log.bar]
    assert percents == sorted(percents) and percents[-1] == 100
    times = [0.0, *(seconds for seconds, _ in log.bar)]
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert max(gaps) <= 2, f"{max(gaps):.1f} s without progress"
    said = " ".join(text for _, text in log.texts)
    for phase in ("Reading the polygons", "Reading the rasters", "without labels", "Training on the samples"):
        assert phase in said
    assert "Grid of 'optical': pixels of 2 x 2 m" in log.told, "the log names the raster whose grid rules"


def test_the_finest_grid_rules_whatever_the_order(scene: Scene, tmp_path: Path):
    """The dialog lists rasters by name: the surface model of 3 m comes before the image of 2 m."""
    log, report = Log(), tmp_path / "report.html"
    train(scene, tmp_path, log, MODALITIES=[scene.dsm, scene.optical], REPORT=str(report))
    found = read_header(str(tmp_path / "model.safetensors")).scene
    assert found.pixel_size == (2, 2) and found.grid == "optical"
    assert found.pixel_metres == pytest.approx((2, 2), rel=0.001)
    assert "Grid of 'optical'" in log.told
    assert "&#x27;optical&#x27;: 120 x 120 pixels of 2 x 2 m" in report.read_text(encoding="utf-8")


def test_grid_can_be_chosen(scene: Scene, tmp_path: Path):
    log = Log()
    train(scene, tmp_path, log, MODALITIES=scene.rasters, GRID=scene.dsm)
    assert read_header(str(tmp_path / "model.safetensors")).scene.pixel_size == (3, 3)
    assert "Grid of 'dsm'" in log.told and "optical: 24 bands, uint16, warped" in log.told


def test_texts_as_classes_and_no_figures_without_hold_out(scene: Scene, tmp_path: Path):
    log = Log()
    report = tmp_path / "report.html"
    results = train(scene, tmp_path, log, CLASS_FIELD="class_name", REPORT=str(report))
    classes = read_header(results["MODEL"]).classes
    names = [each.name for each in classes]
    assert f"got codes by sorted name: 1 {names[0]}, 2 {names[1]}, " in log.told
    assert names == sorted(names) and [each.code for each in classes] == list(range(1, len(names) + 1))
    assert [results[key] for key in ("OVERALL_ACCURACY", "AVERAGE_ACCURACY", "KAPPA")] == [None] * 3
    assert "no accuracy figures" in report.read_text(encoding="utf-8")
    assert read_header(results["MODEL"]).confusion == () or not any(map(sum, read_header(results["MODEL"]).confusion))


def test_names_from_a_field_codes_in_texts_and_colours_from_the_palette(scene: Scene, tmp_path: Path):
    """A copy of the polygons without any style, the codes 010, 020 ... stored as texts."""
    plain, log = tmp_path / "plain.gpkg", Log()
    sql = "SELECT '0' || (class_id * 10) AS code, class_name, geom FROM training"
    gdal.VectorTranslate(str(plain), scene.training, SQLStatement=sql, SQLDialect="SQLITE", format="GPKG")
    report = tmp_path / "report.html"
    wanted = {"SAMPLES": str(plain), "CLASS_FIELD": "code", "NAME_FIELD": "class_name", "REPORT": str(report)}
    results = train(scene, tmp_path, log, **wanted)
    classes = [ClassInfo(each.code // 10, each.name, each.colour) for each in read_header(results["MODEL"]).classes]
    said = "The texts in the field 'code' are whole numbers: they are taken as the class codes."
    assert said in log.told and escape(said) in report.read_text(encoding="utf-8")
    assert all(f"{each.code}0 {each.name}: " in log.told for each in classes)
    assert all(each.name == NAMES[each.code] for each in classes)
    colours = [each.colour for each in classes]
    assert len(set(colours)) == len(colours) and not set(colours) & set(COLOURS.values())


def test_selection_only(scene: Scene, tmp_path: Path):
    layer = project_layer(scene.training, lambda each: each.selectByExpression("class_id in (1, 5)"))
    chosen = QgsProcessingFeatureSourceDefinition(layer.id(), selectedFeaturesOnly=True)
    results = train(scene, tmp_path, SAMPLES=chosen)
    assert [each.code for each in read_header(results["MODEL"]).classes] == [1, 5]


def test_filter_and_unsaved_edits_count(scene: Scene, tmp_path: Path):
    copy = tmp_path / "samples.gpkg"
    shutil.copyfile(scene.training, copy)

    def edit(layer: QgsVectorLayer) -> None:
        layer.setSubsetString("class_id in (1, 5)")
        layer.startEditing()
        drawn = QgsFeature(layer.fields())
        drawn.setGeometry(QgsGeometry.fromRect(corner(scene)))
        drawn["class_id"] = 4242
        layer.addFeature(drawn)

    layer = project_layer(str(copy), edit)
    results = train(scene, tmp_path, SAMPLES=layer.id())
    assert [each.code for each in read_header(results["MODEL"]).classes] == [1, 5, 4242]


def test_goes_on_from_a_pretrained_model(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Pre-train has no steps of its own to set: here the preset has few."""
    monkeypatch.setitem(PRESETS, "quick", PRESETS["quick"].with_steps(3, None))
    first, second = str(tmp_path / "first.safetensors"), str(tmp_path / "second.safetensors")
    given = {"MODALITIES": [scene.dsm], "PRESET": "quick", "DEVICE": "cpu"}
    run("pretrain", {**given, "EXTENT": extent_of(scene, 64), "MODEL": first})
    run("pretrain", {**given, "PRETRAINED": first, "MODEL": second})
    header = read_header(first)
    assert header.kind == "pretrained" and header.classes == () and header.settings.diffusion.steps == 3
    assert Path(first).read_bytes() != Path(second).read_bytes()
    log = Log()
    results = train(scene, tmp_path, log, PRETRAINED=second)
    header = read_header(results["MODEL"])
    assert header.kind == "classifier" and header.classes
    assert "without labels" not in " ".join(text for _, text in log.texts), "learned already"


def corner(scene: Scene) -> QgsRectangle:
    """Four pixels of the surface model in the south-west."""
    west, wide, _, north, _, high = gdal.Open(scene.dsm).GetGeoTransform()
    south = north + gdal.Open(scene.dsm).RasterYSize * high
    return QgsRectangle(west, south, west + 2 * wide, south - 2 * high)


def extent_of(scene: Scene, pixels: int) -> str:
    transform = gdal.Open(scene.optical).GetGeoTransform()
    west, north, side = transform[0], transform[3], transform[1] * pixels
    return f"{west},{west + side},{north - side},{north}"


def test_a_missing_parent_folder_is_made_and_nothing_else_is_written(scene: Scene, tmp_path: Path):
    target = tmp_path / "new" / "folder"
    train(scene, target)
    assert [each.name for each in tmp_path.rglob("*")] == ["new", "folder", "model.safetensors"]
    end_idle_worker()
    assert run_folders() == set()


def test_a_state_of_another_run_is_passed_over_and_goes_with_success(scene: Scene, tmp_path: Path):
    left = tmp_path / "model.safetensors.bdgf-pretraining.safetensors"
    left.write_bytes(b"of another run")
    train(scene, tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["model.safetensors"]
