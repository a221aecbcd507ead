"""Classify: what the results hold and how they look in QGIS."""

from __future__ import annotations

import datetime
import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import processing
import pytest
from osgeo import gdal, ogr
from qgis.core import (
    QgsPalettedRasterRenderer,
    QgsProject,
    QgsRasterLayer,
    QgsSingleBandPseudoColorRenderer,
)

from bdgf.bdgf_qgis.demo.materials import CLASSES
from bdgf.bdgf_qgis.raster.output.metadata import read_class_table, read_lineage
from bdgf.bdgf_qgis.resources import plugin_version
from bdgf.bdgf_qgis.workflows.model_files import checkpoint_of
from bdgf.model.shared.header import FORMAT, read_header
from bdgf.model.shared.infos import TrainingPolygons
from bdgf.tests.algorithms.helpers import Log, Scene, Trained, children, listing, refused, run
from bdgf.tests.model.model_files import header_of, with_header

LEGEND = [(each.code, each.name, each.colour) for each in CLASSES]


@dataclass(frozen=True)
class Mapped:
    """A classification of the whole scene."""

    output: str
    confidence: str
    probabilities: str
    results: dict[str, Any]
    log: Log


def classify(
    trained: Trained,
    scene: Scene,
    output: Path,
    log: Log | None = None,
    **changes: Any,
) -> dict[str, Any]:
    given = {"MODEL": trained.model, "MODALITIES": scene.rasters, "DEVICE": "cpu", "OUTPUT": str(output)}
    return run("classify", {**given, **changes}, log)


def read(path: str | Path) -> np.ndarray:
    return gdal.Open(str(path)).ReadAsArray()


@pytest.fixture(scope="module")
def mapped(trained: Trained, scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Mapped:
    folder = tmp_path_factory.mktemp("mapped")
    paths = [str(folder / name) for name in ("map.tif", "confidence.tif", "probabilities.tif")]
    log = Log()
    wanted = {"CONFIDENCE": paths[1], "PROBABILITIES": paths[2]}
    before = listing(scene.folder)
    results = classify(trained, scene, Path(paths[0]), log, **wanted)
    assert listing(scene.folder) == before, "input folders are never written to"
    return Mapped(*paths, results, log)


def test_paths_are_those_of_the_working_folder(
    trained: Trained, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """As qgis_process is called: the worker, which runs elsewhere, reads the same model."""
    shutil.copyfile(trained.model, tmp_path / "town.safetensors")
    monkeypatch.chdir(tmp_path)
    results = run(
        "classify",
        {"MODEL": "town.safetensors", "MODALITIES": scene.rasters, "DEVICE": "cpu", "OUTPUT": "map.tif"},
    )
    assert results["CLASSIFIED_PIXELS"] == np.count_nonzero(read(tmp_path / "map.tif")) > 10_000
    assert checkpoint_of("town.safetensors").startswith(str(tmp_path))


def test_map_has_codes_where_both_rasters_are_valid_and_nodata_elsewhere(mapped: Mapped, scene: Scene):
    dataset, optical = gdal.Open(mapped.output), gdal.Open(scene.optical)
    codes = dataset.ReadAsArray()
    assert codes.dtype == np.uint8 and dataset.GetRasterBand(1).GetNoDataValue() == 0
    assert dataset.GetProjection() == optical.GetProjection()
    assert set(np.unique(codes)) <= {0, *(code for code, _, _ in LEGEND)}
    assert mapped.results["CLASSIFIED_PIXELS"] == np.count_nonzero(codes) > 10_000
    assert {mapped.results[key] for key in ("OUTPUT", "CONFIDENCE", "PROBABILITIES")} == {
        mapped.output,
        mapped.confidence,
        mapped.probabilities,
    }


def test_confidence_is_the_probability_of_the_mapped_class(mapped: Mapped):
    dataset = gdal.Open(mapped.probabilities)
    bands = [dataset.GetRasterBand(number + 1) for number in range(dataset.RasterCount)]
    assert [each.GetDescription() for each in bands] == [name for _, name, _ in LEGEND]
    assert {each.DataType for each in bands} == {gdal.GDT_UInt16} and {each.GetNoDataValue() for each in bands} == {
        65535
    }
    stored = dataset.ReadAsArray()
    codes, confidence = read(mapped.output), read(mapped.confidence)
    inside = codes > 0
    assert (stored[:, ~inside] == 65535).all() and (confidence[~inside] == -1).all()
    assert confidence.dtype == np.float32 and gdal.Open(mapped.confidence).GetRasterBand(1).GetNoDataValue() == -1
    assert ((confidence[inside] > 0) & (confidence[inside] <= 1)).all()
    shares = stored[:, inside] * bands[0].GetScale()
    assert np.allclose(shares.sum(axis=0), 1, atol=1e-3)
    assert np.allclose(shares.max(axis=0), confidence[inside], atol=1e-4)
    assert (shares.argmax(axis=0) + 1 == codes[inside]).mean() > 0.999, "ties of rounding apart"


def test_names_and_colours_travel_with_the_file(mapped: Mapped):
    table = read_class_table(gdal.Open(mapped.output))
    assert [(each.code, each.name, each.colour) for each in table] == LEGEND
    folder = Path(mapped.output).parent
    names = {f"{name}.{end}" for name in ("map", "confidence", "probabilities") for end in ("tif", "qml")}
    assert {each.name for each in folder.iterdir()} == {*names, "map.tif.aux.xml"}, "no draft is left"


def test_results_say_where_they_come_from(mapped: Mapped, trained: Trained):
    header, model = read_header(trained.model), hashlib.sha256(Path(trained.model).read_bytes()).hexdigest()
    for path, kind in (
        (mapped.output, "classes"),
        (mapped.confidence, "confidence"),
        (mapped.probabilities, "probabilities"),
    ):
        lineage = read_lineage(gdal.Open(path))
        assert lineage is not None and (lineage.kind, lineage.model, lineage.version) == (kind, model, plugin_version())
        assert lineage.rasters == ("optical", "dsm")
        assert lineage.polygons == (header.polygons if kind == "classes" else TrainingPolygons())
    assert header.polygons.count == len(header.polygons.digests) > 0
    assert header.polygons.values == tuple(str(each.code) for each in header.classes)


def test_polygons_of_the_training_are_told_from_others(mapped: Mapped, trained: Trained, scene: Scene, tmp_path: Path):
    figures, report, log = tmp_path / "figures.json", tmp_path / "report.html", Log()
    given = {"CLASSIFICATION": mapped.output, "CLASS_FIELD": "class_id", "JSON": str(figures), "REPORT": str(report)}
    run("assess", {**given, "REFERENCE": scene.training}, log)
    data, count = json.loads(figures.read_text("utf-8")), read_header(trained.model).polygons.count
    held_out = data["polygons"] - count
    assert held_out > 0 and data["polygons_trained_on"] == count, "held-out polygons are none of the training"
    said = f"{count} of {data['polygons']} reference polygons are polygons that the model was trained on"
    assert said in log.warned and said in report.read_text("utf-8") and data["notes"][0].startswith(said)
    log = Log()
    run("assess", {**given, "REFERENCE": scene.validation}, log)
    assert json.loads(figures.read_text("utf-8"))["polygons_trained_on"] == 0 and "trained on" not in log.warned


@pytest.mark.parametrize("name", ["train", "pretrain", "classify"])
def test_results_are_refused_as_rasters_to_learn_from(
    mapped: Mapped, trained: Trained, scene: Scene, tmp_path: Path, name: str
):
    given = {"SAMPLES": scene.training, "CLASS_FIELD": "class_id"} if name == "train" else {}
    given["MODEL"] = trained.model if name == "classify" else str(tmp_path / "m.safetensors")
    for path in (mapped.output, mapped.confidence, mapped.probabilities):
        said = refused(name, {"MODALITIES": [*scene.rasters, path], "OUTPUT": str(tmp_path / "map.tif"), **given})
        assert f"The layer '{Path(path).stem}' is " in said and "untick it" in said


def legend_of(layer: QgsRasterLayer) -> list[tuple[int, str, str]]:
    renderer = layer.renderer()
    assert isinstance(renderer, QgsPalettedRasterRenderer)
    return [(int(each.value), each.label, each.color.name()) for each in renderer.classes()]


def test_plain_loading_shows_classes_and_confidence(mapped: Mapped):
    assert legend_of(QgsRasterLayer(mapped.output, "map")) == LEGEND
    assert isinstance(QgsRasterLayer(mapped.confidence, "sure").renderer(), QgsSingleBandPseudoColorRenderer)


def test_what_processing_loads_has_name_place_style_and_says_where_it_comes_from(trained: Trained, scene: Scene):
    project = QgsProject.instance()
    given = {"MODEL": trained.model, "MODALITIES": scene.rasters, "GRID": scene.optical, "DEVICE": "cpu"}
    results = {key: "TEMPORARY_OUTPUT" for key in ("PROBABILITIES", "CONFIDENCE", "OUTPUT")}
    processing.runAndLoadResults("bdgf:classify", {**given, "EXTENT": part(scene), **results}, feedback=Log())
    (group,) = project.layerTreeRoot().children()
    assert group.name() == "optical, by model"
    land, sure, shares = (node.layer() for node in group.children())
    kinds = ("Land cover", "Confidence", "Probabilities")
    assert [each.name() for each in (land, sure, shares)] == [f"{kind} of optical, by model" for kind in kinds]
    assert legend_of(land) == LEGEND
    for each in (sure, shares):
        assert isinstance(each.renderer(), QgsSingleBandPseudoColorRenderer)
        assert (each.renderer().classificationMin(), each.renderer().classificationMax()) == (0, 1)
    assert land.metadata().title() == land.name()
    digest = hashlib.sha256(Path(trained.model).read_bytes()).hexdigest()
    told = "\n".join([land.metadata().abstract(), *land.metadata().history()])
    for said in ("1 road", "8 water", "model.safetensors from optical, dsm", datetime.date.today().isoformat(), digest):
        assert said in told
    assert scene.optical in told and trained.model in told


def part(scene: Scene, rows: tuple[int, int] = (17, 60), columns: tuple[int, int] = (40, 95)) -> str:
    """An extent that holds these pixels of the image and cuts those around them."""
    west, wide, _, north, _, high = gdal.Open(scene.optical).GetGeoTransform()
    x = [west + wide * (at + shift) for at, shift in zip(columns, (-0.3, 0.3), strict=True)]
    y = [north + high * (at + shift) for at, shift in zip(rows, (-0.3, 0.3), strict=True)]
    return f"{x[0]},{x[1]},{y[1]},{y[0]}"


def place(path: str | Path, scene: Scene) -> tuple[slice, slice]:
    """Rows and columns of the scene that a result holds."""
    dataset, optical = gdal.Open(str(path)), gdal.Open(scene.optical)
    own, whole = dataset.GetGeoTransform(), optical.GetGeoTransform()
    column, row = round((own[0] - whole[0]) / whole[1]), round((own[3] - whole[3]) / whole[5])
    return slice(row, row + dataset.RasterYSize), slice(column, column + dataset.RasterXSize)


def on_scene(path: str | Path, scene: Scene) -> np.ndarray:
    """A class raster on the whole grid of the scene; 0 where it has no pixel."""
    whole = np.zeros((120, 120), np.uint8)
    whole[place(path, scene)] = read(path)
    return whole


def test_an_extent_gives_the_same_pixels_as_the_whole(mapped: Mapped, trained: Trained, scene: Scene, tmp_path: Path):
    results = classify(trained, scene, tmp_path / "part.tif", EXTENT=part(scene))
    rows, columns = place(tmp_path / "part.tif", scene)
    assert (rows, columns) == (slice(17, 60), slice(40, 95))
    assert (read(tmp_path / "part.tif") == on_scene(mapped.output, scene)[rows, columns]).all()
    assert results["CLASSIFIED_PIXELS"] == 43 * 55
    assert results["CONFIDENCE"] in ("", None) and results["PROBABILITIES"] in ("", None)


def test_a_mask_leaves_out_what_is_outside(mapped: Mapped, trained: Trained, scene: Scene, tmp_path: Path):
    results = classify(trained, scene, tmp_path / "masked.tif", MASK=scene.validation)
    memory = gdal.GetDriverByName("MEM").Create("", 120, 120, 1, gdal.GDT_Byte)
    memory.SetGeoTransform(gdal.Open(scene.optical).GetGeoTransform())
    polygons = ogr.Open(scene.validation)
    gdal.RasterizeLayer(memory, [1], polygons.GetLayer(0), burn_values=[1])
    expected = np.where(memory.ReadAsArray() > 0, on_scene(mapped.output, scene), 0)
    found = on_scene(tmp_path / "masked.tif", scene)
    assert (found != expected).sum() <= 2, "but for centres on an edge"
    assert results["CLASSIFIED_PIXELS"] == np.count_nonzero(found)


def test_another_order_of_the_rasters_is_told_and_gives_the_same_map(
    mapped: Mapped, trained: Trained, scene: Scene, tmp_path: Path
):
    log = Log()
    order = {"MODALITIES": scene.rasters[::-1], "EXTENT": part(scene)}
    classify(trained, scene, tmp_path / "other.tif", log, **order)
    assert "another order" in log.warned and "'optical' as optical" in log.warned
    assert (read(tmp_path / "other.tif") == on_scene(mapped.output, scene)[17:60, 40:95]).all()
    assert "another order" not in mapped.log.warned


def test_the_scene_of_the_training_brings_no_warning(mapped: Mapped):
    assert mapped.log.warnings == []


def test_values_out_of_range_and_other_pixel_sizes_are_told(trained: Trained, scene: Scene, tmp_path: Path):
    strange, coarse = str(tmp_path / "strange.tif"), str(tmp_path / "coarse.tif")
    gdal.Translate(strange, scene.dsm, scaleParams=[[0, 1, 5000, 5001]])
    gdal.Warp(coarse, scene.optical, xRes=3.5, yRes=3.5)
    log = Log()
    classify(trained, scene, tmp_path / "map.tif", log, MODALITIES=[coarse, strange], EXTENT=part(scene))
    (size,) = [each for each in log.warnings if "Pixels of the reference grid" in each]
    assert "'strange' (3 x 3 m) and of the model's training (2 x 2 m) differ 1.5 times" in size
    assert "strange, surface height (m): 100% of the pixels" in log.warned


@pytest.mark.parametrize("damage", ["cut", "text", "pretrained", "version", "one raster", "bands"])
def test_what_does_not_fit_is_refused_before_a_worker_starts(
    trained: Trained, scene: Scene, tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("BDGF_PYTHON", "/bin/false")  # a worker that started would fail otherwise
    data = Path(trained.model).read_bytes()
    header, model = header_of(data), tmp_path / "model.safetensors"
    model.write_bytes(
        {
            "cut": data[:-100],
            "text": b"no model at all",
            "pretrained": with_header(data, {**header, "kind": "pretrained", "classes": [], "confusion": []}),
            "version": data.replace(b'\\"format\\": %d' % FORMAT, b'\\"format\\": 7'),
        }.get(damage, data)
    )
    rasters = {"one raster": [scene.optical], "bands": [scene.dsm, scene.dsm]}.get(damage, scene.rasters)
    said = {
        "cut": "damaged",
        "text": "not a BDGF model",
        "pretrained": "only pre-trained",
        "version": f"format version 7; this plugin reads version {FORMAT}",
        "one raster": "trained on 2 rasters ('optical', 'dsm'); 1 were chosen",
        "bands": "It expects 'optical': 24 bands",
    }[damage]
    before = listing(tmp_path)
    given = {"MODEL": str(model), "MODALITIES": rasters, "OUTPUT": str(tmp_path / "map.tif")}
    text = refused("classify", given)
    assert said in text
    if damage in ("cut", "text", "pretrained", "version"):
        assert str(model) in text
    assert listing(tmp_path) == before and children() == []


@pytest.mark.parametrize(
    "place", ["a raster", "a part of a virtual raster", "another result", "another result's style"]
)
def test_no_result_takes_the_place_of_another_file(trained: Trained, scene: Scene, tmp_path: Path, place: str):
    dsm, virtual = Path(shutil.copy(scene.dsm, tmp_path)), str(tmp_path / "virtual.vrt")
    gdal.BuildVRT(virtual, [str(dsm)])
    rasters = [scene.optical, virtual if "virtual" in place else str(dsm)]
    output = dsm if "raster" in place else tmp_path / "map.tif"
    confidence = None if "raster" in place else str(output.with_suffix(".tiff" if "style" in place else ".tif"))
    before = listing(tmp_path)
    given = {"MODEL": trained.model, "MODALITIES": rasters, "OUTPUT": str(output), "CONFIDENCE": confidence}
    said = refused("classify", given)
    assert (f"{dsm} would replace" if "raster" in place else "Two results would be written to") in said
    assert listing(tmp_path) == before and children() == []
