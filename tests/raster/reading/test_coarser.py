"""Rasters at a coarser resolution: values and validity are those of some of the pixels that become one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal

from bdgf.bdgf_qgis.raster.errors import RasterError
from bdgf.bdgf_qgis.raster.reading.coarser import coarser
from bdgf.bdgf_qgis.raster.reading.raster import Raster, describe
from bdgf.bdgf_qgis.raster.reading.stack import open_stack
from bdgf.tests.raster.helpers import TRANSFORM, again, make_raster

RANDOM = np.random.default_rng(4)
SOUTH_UP = (TRANSFORM[0], 10.0, 0.0, TRANSFORM[3] - 800, 0.0, 10.0)


def read(raster: Raster) -> tuple[np.ndarray, np.ndarray]:
    with open_stack([raster]) as stack:
        arrays, valid = stack.read(stack.grid.window)
        return arrays[0], valid


def check(raster: Raster) -> None:
    """Every second pixel is there, with its validity."""
    whole, valid = read(raster)
    (found,), reference = coarser([raster], raster, 2.0)
    assert found is reference and found.grid.pixel_size == (20.0, 20.0)
    assert found.grid.extent == pytest.approx(raster.grid.extent)
    values, some = read(found)
    candidates = [(row, column) for row in (0, 1) for column in (0, 1)]
    assert 0 < some.mean() < 1 or valid.all()
    fits = [
        (valid[row::2, column::2] == some).all() and (whole[:, row::2, column::2] == values).all()
        for row, column in candidates
    ]
    assert values.dtype == whole.dtype and any(fits)


def with_mask(path: Path) -> Raster:
    raster = make_raster(path, RANDOM.integers(1, 200, (2, 80, 60)).astype(np.uint8))
    dataset = gdal.Open(str(path), gdal.GA_Update)
    dataset.CreateMaskBand(gdal.GMF_PER_DATASET)
    dataset.GetRasterBand(1).GetMaskBand().WriteArray((RANDOM.random((80, 60)) > 0.3).astype(np.uint8) * 255)
    dataset = None
    return again(raster)


def with_alpha(path: Path) -> Raster:
    array = RANDOM.integers(0, 3, (4, 80, 60)).astype(np.uint8)
    raster = make_raster(path, array, options=["PHOTOMETRIC=RGB", "ALPHA=YES"])
    assert raster.bands[3].alpha
    return raster


def with_scale(path: Path) -> Raster:
    raster = make_raster(path, RANDOM.integers(0, 50, (2, 80, 60)).astype(np.int16), nodata=7)
    dataset = gdal.Open(str(path), gdal.GA_Update)
    for number in (1, 2):
        dataset.GetRasterBand(number).SetScale(0.01)
        dataset.GetRasterBand(number).SetOffset(-3)
    dataset = None
    return again(raster)


def test_all_that_tells_valid_pixels(tmp_path: Path) -> None:
    numbers = RANDOM.integers(0, 9, (3, 80, 60))
    plain = make_raster(tmp_path / "nodata.tif", numbers.astype(np.uint16), nodata=3)
    check(plain)
    check(replace(plain, nodata=((5.0, 6.0),), added=(1.0,)))
    check(replace(plain, own_nodata=False))
    check(make_raster(tmp_path / "south.tif", numbers.astype(np.float32), SOUTH_UP, nodata=2))
    check(make_raster(tmp_path / "nan.tif", np.where(numbers == 4, np.nan, numbers).astype(np.float64)))
    check(with_mask(tmp_path / "mask.tif"))
    check(with_alpha(tmp_path / "alpha.tif"))
    check(with_scale(tmp_path / "scale.tif"))
    signed = make_raster(
        tmp_path / "signed.tif", (numbers - 4).astype(np.int8), nodata=-2, options=["PIXELTYPE=SIGNEDBYTE"]
    )
    check(signed)


def test_no_raster_gets_finer_and_each_gets_the_same_pixels(tmp_path: Path) -> None:
    fine = make_raster(tmp_path / "fine.tif", np.ones((200, 200), np.uint8))
    middle = make_raster(tmp_path / "middle.tif", np.ones((100, 100), np.uint8), (400_000, 20, 0, 5_800_000, 0, -20))
    coarse = make_raster(tmp_path / "coarse.tif", np.ones((20, 20), np.uint8), (400_000, 100, 0, 5_800_000, 0, -100))
    found, reference = coarser([coarse, middle, fine], fine, 4.0)
    assert [raster.grid.pixel_size[0] for raster in found] == pytest.approx([100, 40, 40])
    assert reference is found[2] and found[0] is coarse
    found, reference = coarser([coarse, middle, fine], fine, 1.0)
    assert found == [coarse, middle, fine] and reference is fine


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    raster = make_raster(tmp_path / "gone.tif", np.ones((50, 50), np.uint8))
    (tmp_path / "gone.tif").unlink()
    with pytest.raises(RasterError, match="'gone'"):
        coarser([raster], raster, 3.0)
    assert describe(make_raster(tmp_path / "gone.tif", np.ones((50, 50), np.uint8)).path, "gone") == raster
