"""Benchmarks in the layouts they are passed around in, written here in both MATLAB formats, become scenes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from osgeo import gdal
from scipy.io import savemat

from bdgf.bdgf_qgis.raster.reading.stack import open_stack
from bdgf.bdgf_qgis.raster.samples.labels import rasterise_labels
from bdgf.tests.benchmarks.accuracy.__main__ import main
from bdgf.tests.benchmarks.accuracy.published import main as publish
from bdgf.tests.benchmarks.accuracy.scene import find_scene, read_samples

SHAPE = (30, 41)
RANDOM = np.random.default_rng(5)
HSI = RANDOM.integers(0, 4000, (*SHAPE, 6)).astype(np.uint16)
LIDAR = RANDOM.normal(10, 4, SHAPE)
SAR = RANDOM.normal(0, 1, (*SHAPE, 4)).astype(np.float32)
ALL = (RANDOM.random(SHAPE) < 0.8) * RANDOM.integers(1, 4, SHAPE)  # noise: holes, diagonal neighbours, single pixels
TRAIN = np.where(RANDOM.random(SHAPE) < 0.2, ALL, 0)
TEST = np.where(TRAIN > 0, 0, ALL)
MUUFL = {
    "Data": HSI,
    "RGB": RANDOM.random((*SHAPE, 3)),
    "Lat": RANDOM.random(SHAPE),
    "Lidar": [{"z": SAR[..., :2]}, {"z": SAR[..., 2:]}],
    "sceneLabels": {"labels": np.where(ALL > 0, ALL, -1).astype(np.int16), "Materials_Type": ["trees", "grass"]},
}


def pairs(image: np.ndarray) -> np.ndarray:
    return np.argwhere(image > 0) + 1


def columnwise(image: np.ndarray) -> np.ndarray:
    return np.flatnonzero(image.ravel(order="F") > 0)[:, None] + 1


Files = dict[str, dict[str, Any]]
SPLIT: dict[str, tuple[Files, dict[str, np.ndarray]]] = {
    "houston": (
        {
            "HSI": {"HSI": HSI},
            "LiDAR": {"LiDAR": LIDAR},
            "gt": {"gt": ALL},
            "TRLabel": {"TRLabel": TRAIN},
            "TSLabel": {"TSLabel": TEST.astype(np.uint8)},
        },
        {"hsi": HSI, "lidar": LIDAR},
    ),
    "houston maps": (
        {
            "Houston2013_HSI": {"HSI": HSI},
            "Houston2013_DSM": {"DSM": LIDAR},
            "Houston2013_TR": {"TR_map": TRAIN},
            "Houston2013_TE": {"TE_map": TEST},
        },
        {"hsi": HSI, "dsm": LIDAR},
    ),
    "houston train only": (
        {
            "HSI_data": {"HSI_data": HSI},
            "LiDAR_data": {"LiDAR_data": LIDAR},
            "All_Label": {"All_Label": ALL},
            "Train_Label": {"Train_Label": TRAIN},
        },
        {"hsi": HSI, "lidar": LIDAR},
    ),
    "augsburg": (
        {
            "data_HS_LR": {"data_HS_LR": HSI},
            "data_SAR_HR": {"data_SAR_HR": SAR},
            "data_DSM": {"data_DSM": LIDAR},
            "TrainImage": {"TrainImage": TRAIN},
            "TestImage": {"TestImage": TEST},
            "GT": {"tainandtest": ALL},
        },
        {"hsi": HSI, "dsm": LIDAR, "sar": SAR},
    ),
    "berlin by numbers": (
        {
            "berlin_hsi": {"berlin_hsi": HSI},
            "berlin_sar": {"berlin_sar": SAR},
            "berlin_gt": {"berlin_gt": ALL},
            "berlin_index": {"berlin_train": pairs(TRAIN), "berlin_test": columnwise(TEST), "berlin_all": pairs(ALL)},
        },
        {"hsi": HSI, "sar": SAR},
    ),
    "trento": (
        {
            "HSI": {"HSI": HSI},
            "LiDAR": {"LiDAR": LIDAR},
            "TRLabel": {"TRLabel": TRAIN},
            "TSLabel": {"TSLabel": TEST},
        },
        {"hsi": HSI, "lidar": LIDAR},
    ),
}
UNSPLIT: dict[str, tuple[Files, dict[str, np.ndarray]]] = {
    "muufl": ({"muufl_gulfport_campus_1_hsi_220_label": {"hsi": MUUFL}}, {"hsi": HSI, "lidar": SAR[..., :2]}),
    "trento": (
        {"Italy_hsi": {"data": HSI}, "Italy_lidar": {"data": SAR[..., :2]}, "allgrd": {"mask_test": ALL}},
        {"hsi": HSI, "lidar": SAR[..., :2]},
    ),
}


def write_5(path: Path, variables: dict[str, Any]) -> None:
    savemat(path, {name: cells(value) for name, value in variables.items()}, do_compression=True)


def cells(value: Any) -> Any:
    """Lists as MATLAB's cell arrays."""
    if isinstance(value, dict):
        return {name: cells(each) for name, each in value.items()}
    if isinstance(value, list):
        array = np.empty((1, len(value)), object)
        array[0] = [cells(each) for each in value]
        return array
    return value


def write_73(path: Path, variables: dict[str, Any]) -> None:
    """As MATLAB does: HDF5 behind a block of 512 bytes, axes the other way round, cells as references."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in variables.items():
            put(file, file, name, value)
    with open(path, "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(116) + bytes(8) + b"\x00\x02IM")


def put(file: h5py.File, group: h5py.Group, name: str, value: Any) -> None:
    if isinstance(value, dict):
        for key, each in value.items():
            put(file, group.require_group(name), key, each)
    elif isinstance(value, list):
        references = []
        for each in value:
            inside = f"{len(file.require_group('#refs#'))}"
            put(file, file["#refs#"], inside, each)
            references.append(file["#refs#"][inside].ref)
        group.create_dataset(name, data=np.array([references], h5py.ref_dtype).T, dtype=h5py.ref_dtype)
    else:
        array = np.frombuffer(value.encode("utf-16-le"), np.uint16)[None] if isinstance(value, str) else value
        group.create_dataset(name, data=np.atleast_2d(array).T)


WRITERS = {"5": write_5, "7.3": write_73}
Write = Callable[[Path, dict[str, Any]], None]


def scene_of(tmp_path: Path, files: Files, write: Write, *arguments: str) -> Path:
    source, out = tmp_path / "source", tmp_path / "scene"
    (source / "inside").mkdir(parents=True)
    for name, variables in files.items():
        write(source / "inside" / f"{name}.mat", variables)
    assert publish([str(source), str(out), *arguments]) == 0
    return out


def pixels(out: Path, polygons: str) -> np.ndarray:
    """Class codes of a scene's polygons, rasterised by the product."""
    image = np.zeros(SHAPE, int)
    with open_stack(find_scene(str(out), out).sources()) as stack:
        samples = read_samples(out / polygons)
        labels = rasterise_labels(stack, samples.polygons, samples.crs_wkt, holdout=0.0)
    assert not any("claimed by two classes" in each or "left out (" in each for each in labels.warnings)
    codes = np.array([each.code for each in labels.classes])
    image[labels.points[:, 0], labels.points[:, 1]] = codes[labels.points[:, 2]]
    return image


def check_rasters(out: Path, wanted: dict[str, np.ndarray]) -> None:
    assert json.loads((out / "info.json").read_text())["rasters"] == [f"{name}.tif" for name in wanted]
    for name, array in wanted.items():
        dataset = gdal.Open(str(out / f"{name}.tif"))
        planes = dataset.ReadAsArray().reshape(-1, *SHAPE)
        assert dataset.GetSpatialRef() is None
        np.testing.assert_allclose(planes, np.moveaxis(np.atleast_3d(array), -1, 0), rtol=1e-6)


@pytest.mark.parametrize("version", WRITERS)
@pytest.mark.parametrize("layout", SPLIT)
def test_published_pixels_come_back_exactly(layout, version, tmp_path):
    files, rasters = SPLIT[layout]
    out = scene_of(tmp_path, files, WRITERS[version])
    check_rasters(out, rasters)
    np.testing.assert_array_equal(pixels(out, "train_polygons.gpkg"), TRAIN)
    np.testing.assert_array_equal(pixels(out, "validation_polygons.gpkg"), TEST)
    assert json.loads((out / "info.json").read_text())["split"] == "the published train and test pixels"


@pytest.mark.parametrize("version", WRITERS)
@pytest.mark.parametrize("layout", UNSPLIT)
def test_a_set_without_a_split_gets_a_stated_one(layout, version, tmp_path):
    files, rasters = UNSPLIT[layout]
    out = scene_of(tmp_path, files, WRITERS[version], "--per-class", "40", "--seed", "3")
    check_rasters(out, rasters)
    train, test = pixels(out, "train_polygons.gpkg"), pixels(out, "validation_polygons.gpkg")
    assert np.bincount(train[train > 0])[1:].tolist() == [40, 40, 40]
    np.testing.assert_array_equal(np.maximum(train, test), ALL)
    assert not ((train > 0) & (test > 0)).any()
    split = json.loads((out / "info.json").read_text())["split"]
    assert "40 random pixels" in split and "seed 3" in split
    again = scene_of(tmp_path / "again", files, WRITERS[version], "--per-class", "40", "--seed", "3")
    np.testing.assert_array_equal(pixels(again, "train_polygons.gpkg"), train)


def test_classes_of_a_known_scene_have_names(tmp_path):
    gt = np.zeros((166, 600), np.uint8)
    gt[10:16, :5] = np.arange(1, 7)[:, None]
    files = {"trento_hsi": {"trento_hsi": np.zeros((166, 600, 2))}, "trento_gt": {"trento_gt": gt}}
    out = scene_of(tmp_path, files, write_5)
    assert json.loads((out / "info.json").read_text())["classes"]["5"] == "vineyard"


def test_the_harness_measures_such_a_scene(tmp_path):
    out = scene_of(tmp_path, SPLIT["trento"][0], write_73)
    results = tmp_path / "results"
    arguments = ["--scene", str(out), "--out", str(results), "--uses", str(results / "uses.md")]
    assert main([*arguments, "--parts", "--baselines", "svm", "--final"]) == 0
    assert f"{(TEST > 0).sum():,}" in (results / "accuracy.md").read_text()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "no .mat file"),
        ({"HSI": {"HSI": HSI}}, "no label image"),
        ({"gt": {"gt": ALL}}, "no raster"),
        ({"HSI": {"HSI": HSI}, "TRLabel": {"TRLabel": TRAIN}}, "not both"),
        ({"HSI": {"HSI": HSI[:-1]}, "gt": {"gt": ALL}}, r"HSI.mat, HSI has the size \(29, 41, 6\)"),
        ({"HSI": {"HSI": HSI}, "old_HSI": {"HSI": HSI}, "gt": {"gt": ALL}}, "two rasters of kind hsi"),
    ],
)
def test_what_does_not_fit_is_said_and_leaves_nothing(files, said, tmp_path, capsys):
    source, out = tmp_path / "source", tmp_path / "scene"
    source.mkdir()
    for name, variables in files.items():
        write_5(source / f"{name}.mat", variables)
    assert publish([str(source), str(out)]) == 2
    assert re.search(said, capsys.readouterr().err)
    assert [each.name for each in tmp_path.iterdir()] == ["source"]


@pytest.mark.parametrize("version", WRITERS)
def test_a_cut_file_is_named(version, tmp_path, capsys):
    source = tmp_path / "source"
    source.mkdir()
    WRITERS[version](source / "HSI.mat", {"HSI": HSI})
    data = (source / "HSI.mat").read_bytes()
    (source / "HSI.mat").write_bytes(data[: len(data) // 2])
    assert publish([str(source), str(tmp_path / "scene")]) == 2
    assert "HSI.mat cannot be read" in capsys.readouterr().err
