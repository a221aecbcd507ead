"""Suggest samples: points with their fields and style where a map is unsure, and sentences where there can be none."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from osgeo import gdal
from qgis.core import NULL, QgsCategorizedSymbolRenderer, QgsFeature, QgsVectorLayer, QgsWkbTypes

from bdgf.bdgf_qgis.demo.materials import CLASSES
from bdgf.tests.algorithms.helpers import Log, Scene, Trained, changes, listing, project_layer, refused, run
from bdgf.tests.raster.helpers import write_raster

NAMES = {each.code: each.name for each in CLASSES}
WEST = 60  # columns of the scene of which the map is sure


@pytest.fixture
def confidence(scene: Scene, tmp_path: Path) -> str:
    """Sure in the west, unsure in the east."""
    source = gdal.Open(scene.truth)
    sure = np.full((source.RasterYSize, source.RasterXSize), 0.3, np.float32)
    sure[:, :WEST] = 0.999
    path = tmp_path / "confidence.tif"
    write_raster(path, sure, source.GetGeoTransform(), None)
    dataset = gdal.Open(str(path), gdal.GA_Update)
    dataset.SetProjection(source.GetProjection())
    dataset = None
    return str(path)


def suggested(tmp_path: Path, log: Log | None = None, **parameters: Any) -> QgsVectorLayer:
    path = str(tmp_path / "points.gpkg")
    assert run("suggestsamples", {"OUTPUT": path, **parameters}, log) == {"OUTPUT": path}
    layer = QgsVectorLayer(path, "points", "ogr")
    assert layer.isValid()
    return layer


def features(layer: QgsVectorLayer) -> list[QgsFeature]:
    return sorted(layer.getFeatures(), key=lambda feature: feature["rank"])


def pixels(layer: QgsVectorLayer, raster: str) -> list[tuple[int, int]]:
    """Row and column of each point, by rank."""
    west, wide, _, north, _, high = gdal.Open(raster).GetGeoTransform()
    points = [feature.geometry().asPoint() for feature in features(layer)]
    return [(int((point.y() - north) / high), int((point.x() - west) / wide)) for point in points]


def test_points_lie_where_the_map_is_unsure_and_say_what_it_holds(scene: Scene, confidence: str, tmp_path: Path):
    log = Log()
    layer = suggested(tmp_path, log, CLASSIFICATION=scene.truth, CONFIDENCE=confidence)
    assert layer.wkbType() == QgsWkbTypes.Point and layer.featureCount() == 30
    assert layer.crs().authid() == QgsVectorLayer(scene.training, "", "ogr").crs().authid()
    found = features(layer)
    assert [feature["rank"] for feature in found] == list(range(1, 31))
    codes = gdal.Open(scene.truth).ReadAsArray()
    places = pixels(layer, scene.truth)
    assert [feature["map_code"] for feature in found] == [codes[place] for place in places]
    assert [feature["map_class"] for feature in found] == [NAMES[feature["map_code"]] for feature in found]
    assert all(feature["second_class"] in (None, NULL) for feature in found)
    assert np.mean([column >= WEST for _, column in places]) > 0.9
    assert {round(feature["uncertainty"], 3) for feature in found} <= {0.7, 0.001}
    assert {feature["map_code"] for feature in found[: len(NAMES)]} == set(np.unique(codes)) - {0}, "every class first"
    assert "30 points in" in log.told and not log.warnings


def test_the_layer_brings_its_style(scene: Scene, confidence: str, tmp_path: Path):
    layer = suggested(tmp_path, CLASSIFICATION=scene.truth, CONFIDENCE=confidence)
    renderer = layer.renderer()
    assert isinstance(renderer, QgsCategorizedSymbolRenderer) and renderer.classAttribute() == "map_code"
    colours = {each.code: each.colour for each in CLASSES}
    for category in renderer.categories():
        assert category.symbol().symbolLayer(1).strokeColor().name() == colours[int(category.value())]
        assert category.label() == NAMES[int(category.value())]
    assert layer.labelsEnabled() and layer.labeling().settings().fieldName == "rank"


def test_extent_polygons_and_distance_are_kept(scene: Scene, confidence: str, tmp_path: Path):
    west, wide, _, north, _, high = gdal.Open(scene.truth).GetGeoTransform()
    extent = f"{west + 20 * wide},{west + 100 * wide},{north + 90 * high},{north + 10 * high} [EPSG:32632]"
    given = {"CLASSIFICATION": scene.truth, "CONFIDENCE": confidence, "SAMPLES": scene.training}
    layer = suggested(tmp_path, EXTENT=extent, MIN_DISTANCE=8 * wide, COUNT=20, **given)
    places = np.array(pixels(layer, scene.truth))
    assert (places >= (10, 20)).all() and (places < (90, 100)).all()
    points = [feature.geometry() for feature in features(layer)]
    assert len(points) > 5
    for number, point in enumerate(points):
        assert all(point.distance(other) >= 8 * wide for other in points[:number])
    polygons = [feature.geometry() for feature in QgsVectorLayer(scene.training, "", "ogr").getFeatures()]
    assert min(polygon.distance(point) for polygon in polygons for point in points) >= 8 * wide


def test_what_is_missing_is_told(scene: Scene, confidence: str, tmp_path: Path):
    log = Log()
    layer = suggested(tmp_path, log, CLASSIFICATION=scene.truth, CONFIDENCE=confidence, MIN_DISTANCE=150.0)
    assert 1 < layer.featureCount() < 30
    missing = 30 - layer.featureCount()
    assert f"{missing} of 30 points are missing" in log.warned and "choose a shorter distance" in log.warned


def test_rasters_of_classify_name_the_second_class(scene: Scene, trained: Trained, tmp_path: Path):
    names = {"OUTPUT": "map.tif", "PROBABILITIES": "shares.tif", "CONFIDENCE": "sure.tif"}
    results = {key: str(tmp_path / name) for key, name in names.items()}
    run("classify", {"MODEL": trained.model, "MODALITIES": scene.rasters, "DEVICE": "cpu", **results})
    given = {"CLASSIFICATION": results["OUTPUT"], "PROBABILITIES": results["PROBABILITIES"]}
    layer = suggested(tmp_path, CONFIDENCE=results["CONFIDENCE"], COUNT=12, SEED=3, **given)
    dataset = gdal.Open(results["PROBABILITIES"])
    bands = [dataset.GetRasterBand(number + 1).GetDescription() for number in range(dataset.RasterCount)]
    shares = dataset.ReadAsArray() * dataset.GetRasterBand(1).GetScale()
    for feature, (row, column) in zip(features(layer), pixels(layer, results["OUTPUT"]), strict=True):
        ordered = np.sort(shares[:, row, column])
        assert feature["uncertainty"] == pytest.approx(1 - (ordered[-1] - ordered[-2]), abs=1e-3)
        assert feature["second_class"] in bands and feature["second_class"] != feature["map_class"]
        assert {feature["second_class"], feature["map_class"]} == {
            bands[band] for band in np.argsort(shares[:, row, column])[-2:]
        } or np.ptp(ordered[-3:-1]) < 1e-3
    other = str(tmp_path / "other.gpkg")
    swapped = {"CLASSIFICATION": results["CONFIDENCE"], "CONFIDENCE": results["OUTPUT"], "OUTPUT": other}
    assert "'sure' is the confidence of a map that BDGF wrote, not classes" in refused("suggestsamples", swapped)
    wrong = {**given, "PROBABILITIES": results["CONFIDENCE"], "OUTPUT": other}
    text = refused("suggestsamples", wrong)
    assert "'sure' is the confidence of a map that BDGF wrote, not its probabilities" in text


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"CONFIDENCE": None}, "Nothing says how sure the map is"),
        ({"CLASSIFICATION": "optical"}, "has 24 bands: choose a class raster"),
        ({"CONFIDENCE": "dsm"}, "lie on different grids"),
        ({"CLASSIFICATION": "confidence"}, "holds fractions such as 0.999"),
        ({"EXTENT": "0,10,0,10 [EPSG:32633]"}, "The extent holds no pixel of 'truth'"),
        ({"CONFIDENCE": "truth"}, "is a class raster"),
        ({"MIN_DISTANCE": 1e6, "SAMPLES": "training"}, "lies nearer than"),
    ],
)
def test_bad_input_gets_a_sentence(scene: Scene, confidence: str, tmp_path: Path, changes: dict[str, Any], words: str):
    files = {"optical": scene.optical, "dsm": scene.dsm, "truth": scene.truth, "confidence": confidence}
    files["training"] = scene.training
    given = {"CLASSIFICATION": scene.truth, "CONFIDENCE": confidence, "OUTPUT": str(tmp_path / "points.gpkg")}
    given |= {key: files.get(value, value) for key, value in changes.items()}
    text = refused("suggestsamples", given)
    assert words in text and "Traceback" not in text
    assert not (tmp_path / "points.gpkg").exists()


def test_no_result_replaces_what_is_read(scene: Scene, confidence: str):
    layer = project_layer(scene.training)
    given = {"CLASSIFICATION": scene.truth, "CONFIDENCE": confidence, "SAMPLES": layer}
    before = listing(scene.folder)
    assert "would replace a file that is read" in refused("suggestsamples", {**given, "OUTPUT": scene.training})
    assert changes(scene.folder, before) == []


def test_cancel_leaves_nothing(tmp_path: Path):
    side = 6000
    write_raster(tmp_path / "map.tif", np.ones((side, side), np.uint8), options=["COMPRESS=DEFLATE", "TILED=YES"])
    sure = np.full((side, side), 0.5, np.float32)
    write_raster(tmp_path / "sure.tif", sure, options=["COMPRESS=DEFLATE", "TILED=YES"])
    before = listing(tmp_path)

    def hear(log: Log, text: str) -> None:
        if "Reading" in text:
            threading.Timer(0.3, log.cancel_now).start()

    log = Log(hear)
    given = {"CLASSIFICATION": str(tmp_path / "map.tif"), "CONFIDENCE": str(tmp_path / "sure.tif")}
    assert "Cancelled; nothing was written." in refused(
        "suggestsamples", {**given, "OUTPUT": str(tmp_path / "points.gpkg")}, log
    )
    assert changes(tmp_path, before) == []
    assert 0 < max(percent for _, percent in log.bar) < 90
