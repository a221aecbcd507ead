"""Assess: the figures are those of another library on labels rasterised by another rasteriser."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from osgeo import gdal, ogr
from sklearn import metrics

from bdgf.bdgf_qgis.demo.materials import CLASSES
from bdgf.tests.algorithms.helpers import Log, Scene, run

NAMES = {each.code: each.name for each in CLASSES}


@pytest.fixture
def faulty_map(scene: Scene, tmp_path: Path) -> str:
    """The truth with a fifth of its pixels wrong, and 17 columns without a class; names in its attribute table."""
    path = str(tmp_path / "map.tif")
    shutil.copyfile(scene.truth, path)
    shutil.copyfile(scene.truth + ".aux.xml", path + ".aux.xml")
    dataset = gdal.Open(path, gdal.GA_Update)
    codes = dataset.ReadAsArray()
    random = np.random.default_rng(0)
    wrong = random.random(codes.shape) < 0.2
    codes[wrong] = random.integers(1, 9, wrong.sum())
    codes[:, 40:57] = 0
    dataset.GetRasterBand(1).WriteArray(codes)
    dataset = None
    return path


def reference_pixels(path: str, scene: Scene) -> np.ndarray:
    """Codes of the reference polygons on the grid of the scene, by GDAL's rasteriser; 0 where there is none."""
    source = gdal.Open(scene.truth)
    memory = gdal.GetDriverByName("MEM").Create("", source.RasterXSize, source.RasterYSize, 1, gdal.GDT_Byte)
    memory.SetGeoTransform(source.GetGeoTransform())
    memory.SetProjection(source.GetProjection())
    polygons = ogr.Open(path)
    gdal.RasterizeLayer(memory, [1], polygons.GetLayer(0), options=["ATTRIBUTE=class_id"])
    return memory.ReadAsArray()


@pytest.fixture
def assess(faulty_map: str, scene: Scene, tmp_path: Path) -> Callable[..., tuple[dict[str, Any], dict[str, Any], Log]]:
    def run_it(**changes: Any) -> tuple[dict[str, Any], dict[str, Any], Log]:
        log, figures = Log(), tmp_path / "accuracy.json"
        given = {"CLASSIFICATION": faulty_map, "REFERENCE": scene.validation, "CLASS_FIELD": "class_id"}
        results = run("assess", {**given, "JSON": str(figures), **changes}, log)
        return results, json.loads(figures.read_text(encoding="utf-8")), log

    return run_it


def test_figures_are_those_of_scikit_learn(assess: Any, faulty_map: str, scene: Scene, tmp_path: Path):
    report = tmp_path / "report.html"
    results, figures, log = assess(REPORT=str(report))
    reference, mapped = reference_pixels(scene.validation, scene), gdal.Open(faulty_map).ReadAsArray()
    both = (reference > 0) & (mapped > 0)
    truth, found = reference[both], mapped[both]
    labels = [each["code"] for each in figures["classes"]]
    assert figures["confusion"] == metrics.confusion_matrix(truth, found, labels=labels).tolist()
    assert results["OVERALL_ACCURACY"] == pytest.approx(metrics.accuracy_score(truth, found))
    assert results["KAPPA"] == pytest.approx(metrics.cohen_kappa_score(truth, found))
    present = [each for each in labels if each in np.unique(truth)]
    recall = metrics.recall_score(truth, found, labels=present, average=None)
    assert results["AVERAGE_ACCURACY"] == pytest.approx(recall.mean())
    assert (figures["oa"], figures["aa"], figures["kappa"]) == tuple(
        results[key] for key in ("OVERALL_ACCURACY", "AVERAGE_ACCURACY", "KAPPA")
    )
    precision = metrics.precision_score(truth, found, labels=labels, average=None, zero_division=0)
    said = [each for each in figures["classes"] if each["code"] in present]
    assert [each["producer"] for each in said] == pytest.approx(recall.tolist())
    assert [each["user"] for each in figures["classes"]] == pytest.approx(precision.tolist())
    left_out = int(((reference > 0) & (mapped == 0)).sum())
    assert figures["left_out"] == left_out > 0
    assert f"{left_out} reference pixels lie where the map is nodata" in log.told
    page = report.read_text(encoding="utf-8")
    assert all(each["name"] in page for each in figures["classes"]) and f"{figures['oa']:.0%}" in page
    assert f"{left_out} reference pixels" in page


def test_a_text_field_meets_the_names_in_the_attribute_table(assess: Any):
    by_code, by_name = assess(), assess(CLASS_FIELD="class_name")
    assert by_code[1]["confusion"] == by_name[1]["confusion"]
    assert [each["name"] for each in by_name[1]["classes"]] == [NAMES[each["code"]] for each in by_name[1]["classes"]]
    assert [each["code"] for each in by_code[1]["classes"]] == [each["code"] for each in by_name[1]["classes"]]


def test_reference_in_another_system(assess: Any, scene: Scene, tmp_path: Path):
    other = str(tmp_path / "degrees.gpkg")
    gdal.VectorTranslate(other, scene.validation, dstSRS="EPSG:4326", reproject=True, format="GPKG")
    here, there = assess()[1], assess(REFERENCE=other)[1]
    assert abs(here["pixels"] - there["pixels"]) <= 5 and here["oa"] == pytest.approx(there["oa"], abs=0.01)


def test_optional_files_are_not_made(faulty_map: str, scene: Scene, tmp_path: Path):
    before = {each.name for each in tmp_path.iterdir()}
    results = run("assess", {"CLASSIFICATION": faulty_map, "REFERENCE": scene.validation, "CLASS_FIELD": "class_id"})
    assert results["REPORT"] in ("", None) and results["JSON"] in ("", None)
    assert 0.7 < results["OVERALL_ACCURACY"] < 0.95
    assert {each.name for each in tmp_path.iterdir()} == before
