"""Rasters as archives store them, from training to the map: one scene in several storages gives one map."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from osgeo import gdal

from bdgf.model.shared.header import read_header
from bdgf.tests.algorithms.helpers import QUICK, Log, Scene, Trained, refused, run

SHORT = {**QUICK, "PRETRAIN_STEPS": 1, "STEPS": 1, "HOLDOUT": 0}


def read(path: str | Path) -> np.ndarray:
    array: np.ndarray = gdal.Open(str(path)).ReadAsArray()
    return array


def stored(path: Path, source: str, change: Callable[[np.ndarray], np.ndarray], kind: int, **options: Any) -> str:
    """A raster on the grid of another, of changed values; `scale` and `nodata` of its bands."""
    origin = gdal.Open(source)
    values = change(read(source).reshape(origin.RasterCount, origin.RasterYSize, origin.RasterXSize))
    size = origin.RasterXSize, origin.RasterYSize, len(values)
    made = gdal.GetDriverByName("GTiff").Create(str(path), *size, kind, options.get("creation", []))
    made.SetGeoTransform(origin.GetGeoTransform())
    made.SetProjection(origin.GetProjection())
    for number, plane in enumerate(values, 1):
        band = made.GetRasterBand(number)
        band.SetDescription(origin.GetRasterBand(number).GetDescription())
        if "scale" in options:
            band.SetScale(options["scale"])
        if "nodata" in options:
            band.SetNoDataValue(options["nodata"])
        band.WriteArray(plane)
    made = None
    return str(path)


def maps(model: str, folder: Path, rasters: dict[str, list[str]], **changes: Any) -> dict[str, np.ndarray]:
    """Classes and confidence of several storages of a scene."""
    found = {}
    for name, paths in rasters.items():
        given = {"MODEL": model, "MODALITIES": paths, "DEVICE": "cpu", **changes}
        results = {key: str(folder / f"{name}_{key}.tif") for key in ("OUTPUT", "CONFIDENCE")}
        run("classify", {**given, **results})
        found[name] = np.stack([read(each) for each in results.values()])
    return found


def test_one_reflectance_in_two_storages_gives_one_map(scenes: Callable[[str], Path], tmp_path: Path, provider: object):
    """Potsdam's near infrared: whole numbers with a scale of 0.0001, and the same reflectance as plain numbers."""
    folder = scenes("potsdam_enmap")
    integers = str(folder / "vnir.tif")
    assert gdal.Open(integers).GetRasterBand(1).GetScale() == 0.0001

    def reflectance(values: np.ndarray) -> np.ndarray:
        return np.where(values == -32768, -1, values * 0.0001)

    floats = stored(tmp_path / "vnir.tif", integers, reflectance, gdal.GDT_Float32, nodata=-1)
    rasters = {"integers": [integers], "floats": [floats]}
    model = str(tmp_path / "model.safetensors")
    samples = {"SAMPLES": str(folder / "train_polygons.gpkg"), "CLASS_FIELD": "class_id"}
    log = Log()
    run("train", {"MODALITIES": rasters["integers"], **samples, **SHORT, "MODEL": model}, log)
    assert "vnir: 91 bands, float32" in log.told
    assert all(0 <= low < high < 1 for low, high in read_header(model).ranges[0])
    found = maps(model, tmp_path, rasters)
    assert (found["integers"] == found["floats"]).all()
    assert 0.5 < (found["floats"][0] != 0).mean() < 0.7


def test_signed_bytes_give_the_map_of_the_same_numbers(scene: Scene, tmp_path: Path):
    """A surface model in metres about its mean, -128 as no data in a corner."""

    def metres(values: np.ndarray) -> np.ndarray:
        moved = np.round(values - np.median(values)).clip(-100, 100)
        moved[:, :9, :14] = -128
        return moved

    signed = stored(
        tmp_path / "signed.tif", scene.dsm, lambda values: metres(values).astype(np.int8), gdal.GDT_Byte,
        nodata=-128, creation=["PIXELTYPE=SIGNEDBYTE"],
    )  # fmt: skip
    plain = stored(tmp_path / "plain.tif", scene.dsm, metres, gdal.GDT_Int16, nodata=-128)
    model = str(tmp_path / "model.safetensors")
    samples = {"SAMPLES": scene.training, "CLASS_FIELD": "class_id"}
    log = Log()
    run("train", {"MODALITIES": [scene.optical, signed], **samples, **SHORT, "MODEL": model}, log)
    assert "signed: 1 band, int8, warped" in log.told
    found = maps(model, tmp_path, {"signed": [scene.optical, signed], "plain": [scene.optical, plain]})
    assert (found["signed"] == found["plain"]).all() and (found["plain"][0] == 0).any()


def test_undeclared_no_data_is_told_and_once_entered_remembered(scene: Scene, trained: Trained, tmp_path: Path):
    """A corner of -9999 in the surface model is told with its share; entered as NODATA it is no part of any map."""

    def cornered(values: np.ndarray) -> np.ndarray:
        changed = values.copy()
        changed[:, -24:, -24:] = -9999
        return changed

    dsm = stored(tmp_path / "dsm.tif", scene.dsm, cornered, gdal.GDT_Float32)
    given: dict[str, Any] = {"SAMPLES": scene.training, "CLASS_FIELD": "class_id", **SHORT}
    log, model = Log(), str(tmp_path / "untold.safetensors")
    run("train", {**given, "MODALITIES": [scene.optical, dsm], "MODEL": model}, log)
    assert "'dsm' seems to use numbers for 'no data'" in log.warned and "-9999 in " in log.warned
    assert "seems to use" not in trained.log.warned
    ranges = [np.array(read_header(each).ranges[1]) for each in (model, trained.model)]
    assert np.abs(ranges[0] - ranges[1]).max() < 2, "metres"
    log, model = Log(), str(tmp_path / "told.safetensors")
    report = tmp_path / "report.html"
    told = {"NODATA": "dsm: -9999", "MODEL": model, "REPORT": str(report)}
    run("train", {**given, "MODALITIES": [scene.optical, dsm], **told}, log)
    assert "seems to use" not in log.warned and "Additional no-data values of 'dsm': -9999." in log.told
    assert "additional no data: -9999" in report.read_text(encoding="utf-8")
    assert [each.nodata for each in read_header(model).modalities] == [(), (-9999,)]
    folder = tmp_path / "scenes"
    folder.mkdir()
    paths = {name: str(folder / f"a_{name}.tif") for name in ("optical", "dsm")}
    gdal.Translate(paths["optical"], scene.optical)
    gdal.Translate(paths["dsm"], dsm)
    found = maps(model, tmp_path, {"map": list(paths.values())})["map"][0]
    assert (found[-34:, -34:] == 0).all() and (found[:-40, :-40] != 0).all()
    folders = {"FOLDER": str(folder), "PATTERNS": "*_optical.tif; *_dsm.tif", "OUTPUT_FOLDER": str(tmp_path / "maps")}
    run("classifyfolder", {"MODEL": model, "DEVICE": "cpu", **folders})
    assert (read(tmp_path / "maps" / "a.tif") == found).all()
    said = refused("classifyfolder", {"MODEL": model, "DEVICE": "cpu", **folders, "NODATA": "roof: 1"})
    assert "no raster 'roof' among 'optical', 'dsm'" in said


@pytest.mark.parametrize("kind", ["beyond float32", "int64 of a large offset"])
def test_strange_numbers_neither_stop_a_run_nor_reach_the_log(
    scene: Scene, tmp_path: Path, kind: str, capfd: pytest.CaptureFixture
):
    def changed(values: np.ndarray) -> np.ndarray:
        values = values.astype(np.float64)
        if kind != "beyond float32":
            return np.round(values * 10) + 2.0**40
        values *= 1e305
        values[:, :20, :20], values[:, 20:30, :20] = np.inf, -np.inf
        return values

    dsm = stored(tmp_path / "dsm.tif", scene.dsm, changed, gdal.GDT_Float64 if "float" in kind else gdal.GDT_Int64)
    model, target, log = str(tmp_path / "model.safetensors"), tmp_path / "map.tif", Log()
    capfd.readouterr()
    samples = {"SAMPLES": scene.training, "CLASS_FIELD": "class_id"}
    run("train", {"MODALITIES": [dsm], **samples, **SHORT, "MODEL": model}, log)
    run("classify", {"MODEL": model, "MODALITIES": [dsm], "DEVICE": "cpu", "OUTPUT": str(target)}, log)
    assert "ERROR" not in capfd.readouterr().err and log.errors == []
    mapped = read(target) != 0
    if kind == "beyond float32":
        assert mapped[30:, 20:].all() and not mapped[:25, :18].any()
    else:
        assert mapped.all()
        wanted = np.percentile(read(dsm), (0.1, 99.9))
        assert np.abs(np.array(read_header(model).ranges[0][0]) - wanted).max() < 20, "a few metres, in decimetres"


@pytest.mark.parametrize("key", ["MODALITIES", "GRID", "CLASSIFICATION"])
def test_a_file_of_several_variables_names_them(scene: Scene, trained: Trained, tmp_path: Path, key: str):
    path = tmp_path / "two.nc"
    root = gdal.GetDriverByName("netCDF").CreateMultiDimensional(str(path)).GetRootGroup()
    dimensions = [root.CreateDimension(name, None, None, 5) for name in "yx"]
    for name in ("albedo", "height"):
        root.CreateMDArray(name, dimensions, gdal.ExtendedDataType.Create(gdal.GDT_Float32)).Write(np.ones((5, 5)))
    del root, dimensions
    given: dict[str, Any] = {"REFERENCE": scene.validation, "CLASS_FIELD": "class_id"}
    if key != "CLASSIFICATION":
        target = str(tmp_path / "map.tif")
        given = {"MODEL": trained.model, "DEVICE": "cpu", "OUTPUT": target, "MODALITIES": scene.rasters}
    value = [scene.optical, str(path)] if key == "MODALITIES" else str(path)
    said = refused("assess" if key == "CLASSIFICATION" else "classify", {**given, key: value})
    assert "choose one variable (albedo, height)" in said and "two" in said
