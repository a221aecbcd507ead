"""Nodata in all its forms, on rasters that are read as they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal

from bdgf.bdgf_qgis.raster.reading.raster import Raster, describe
from bdgf.bdgf_qgis.raster.reading.stack import open_stack
from bdgf.tests.raster.helpers import TRANSFORM, again, make_raster


def valid_of(source: Raster) -> np.ndarray:
    with open_stack([source]) as stack:
        arrays, valid = stack.read(stack.grid.window)
    assert (arrays[0][:, ~valid] == 0).all()
    return valid


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "uint32", "int32", "float32", "float64"])
def test_a_pixel_is_valid_where_every_band_is(tmp_path: Path, dtype: str) -> None:
    array = np.random.default_rng(0).integers(0, 4, (3, 20, 30)).astype(dtype)
    valid = valid_of(make_raster(tmp_path / "a.tif", array, nodata=3))
    assert (valid == (array != 3).all(axis=0)).all()


def test_values_arrive_in_their_own_type(tmp_path: Path) -> None:
    array = np.random.default_rng(0).normal(size=(2, 9, 7)).astype(np.float64)
    with open_stack([make_raster(tmp_path / "a.tif", array)]) as stack:
        arrays, valid = stack.read(stack.grid.window)
        assert arrays[0].dtype == np.float64 and (arrays[0] == array).all() and valid.all()
        assert stack.modalities[0].dtype == "float64"


@pytest.mark.parametrize("nodata", [None, -9999.0, float("nan")])
def test_nan_and_infinity_are_never_data(tmp_path: Path, nodata: float | None) -> None:
    array = np.ones((2, 5, 6), np.float32)
    array[0, 1, 2], array[1, 3, 4], array[0, 4, 5], array[1, 0, 0] = np.nan, np.inf, -9999, -np.inf
    valid = valid_of(make_raster(tmp_path / "a.tif", array, nodata=nodata))
    expected = np.isfinite(array).all(axis=0)
    if nodata == -9999.0:
        expected[4, 5] = False
    assert (valid == expected).all()


def test_the_usual_lowest_float_is_recognised_as_written_in_decimals(tmp_path: Path) -> None:
    array = np.ones((4, 5), np.float32)
    array[2, 3] = np.finfo(np.float32).min
    valid = valid_of(make_raster(tmp_path / "a.tif", array, nodata=-3.40282346638529e38))
    assert not valid[2, 3] and valid.sum() == 19


@pytest.mark.parametrize("nodata", [-9999.0, 300.0, 0.5])
def test_a_nodata_value_that_the_type_cannot_hold_excludes_nothing(tmp_path: Path, nodata: float) -> None:
    array = np.arange(20, dtype=np.uint8).reshape(4, 5)
    source = make_raster(tmp_path / "a.tif", array)
    vrt = tmp_path / "a.vrt"
    gdal.BuildVRT(str(vrt), [source.path]).FlushCache()
    text = vrt.read_text().replace("<ColorInterp>", f"<NoDataValue>{nodata}</NoDataValue><ColorInterp>")
    vrt.write_text(text)
    assert valid_of(describe(str(vrt), "a")).all()


def test_each_band_has_its_own_nodata(tmp_path: Path) -> None:
    array = np.array([[[1, 2, 3]], [[1, 2, 3]]], np.int16)
    path = tmp_path / "a.vrt"
    first = make_raster(tmp_path / "one.tif", array[0], nodata=1)
    second = make_raster(tmp_path / "two.tif", array[1], nodata=3)
    gdal.BuildVRT(str(path), [first.path, second.path], separate=True).FlushCache()
    assert valid_of(describe(str(path), "a")).tolist() == [[False, True, False]]


def test_additional_ranges_of_the_layer_count(tmp_path: Path) -> None:
    array = np.arange(20, dtype=np.int16).reshape(4, 5)
    source = make_raster(tmp_path / "a.tif", array, nodata=0)
    valid = valid_of(replace(source, nodata=((3.0, 5.0), (19.0, 19.0))))
    assert set(array[~valid].tolist()) == {0, 3, 4, 5, 19}


def test_ranges_are_in_the_values_that_the_layer_shows(tmp_path: Path) -> None:
    array = np.arange(20, dtype=np.int16).reshape(4, 5)
    source = make_raster(tmp_path / "a.tif", array)
    dataset = gdal.Open(source.path, gdal.GA_Update)
    dataset.GetRasterBand(1).SetScale(0.5)
    dataset.GetRasterBand(1).SetOffset(100)
    dataset = None
    valid = valid_of(replace(again(source), nodata=((102.0, 103.0),)))
    assert set(array[~valid].tolist()) == {4, 5, 6}


def test_the_files_own_nodata_can_be_switched_off(tmp_path: Path) -> None:
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert valid_of(replace(make_raster(tmp_path / "a.tif", array, nodata=0), own_nodata=False)).all()


def test_a_mask_band_counts(tmp_path: Path) -> None:
    array = np.ones((2, 6, 7), np.uint8)
    source = make_raster(tmp_path / "a.tif", array)
    mask = np.random.default_rng(2).integers(0, 2, (6, 7)).astype(np.uint8)
    dataset = gdal.Open(source.path, gdal.GA_Update)
    dataset.CreateMaskBand(gdal.GMF_PER_DATASET)
    dataset.GetRasterBand(1).GetMaskBand().WriteArray(mask * 255)
    dataset = None
    assert (valid_of(again(source)) == (mask > 0)).all()


@pytest.mark.parametrize("nodata", [None, 9.0])
def test_an_alpha_band_counts_beside_nodata(tmp_path: Path, nodata: float | None) -> None:
    path = tmp_path / "rgba.tif"
    random = np.random.default_rng(3)
    colours, alpha = random.integers(0, 10, (3, 6, 7)).astype(np.uint8), random.integers(0, 3, (6, 7)).astype(np.uint8)
    dataset = gdal.GetDriverByName("GTiff").Create(str(path), 7, 6, 4, gdal.GDT_Byte, ["PHOTOMETRIC=RGB", "ALPHA=YES"])
    dataset.SetGeoTransform(TRANSFORM)
    for number, plane in enumerate([*colours, alpha * 100], 1):
        dataset.GetRasterBand(number).WriteArray(plane)
        if nodata is not None:
            dataset.GetRasterBand(number).SetNoDataValue(nodata)
    dataset = None
    expected = alpha > 0
    if nodata is not None:
        expected &= (colours != 9).all(axis=0)
    assert (valid_of(describe(str(path), "rgba")) == expected).all()
