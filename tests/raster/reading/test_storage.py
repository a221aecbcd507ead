"""One set of values in several storages: signed bytes, scale and offset, wide types."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal

from bdgf.bdgf_qgis.raster.grid import Window
from bdgf.bdgf_qgis.raster.reading.raster import Raster, describe, fingerprint, storage_of
from bdgf.bdgf_qgis.raster.reading.stack import open_stack
from bdgf.tests.raster.helpers import TRANSFORM, again, make_raster

RANDOM = np.random.default_rng(9)
BYTES = RANDOM.integers(-100, 100, (2, 80, 90)).astype(np.int8)
FINE = (TRANSFORM[0] + 3, 7.0, 0.0, TRANSFORM[3] - 3, 0.0, -7.0)


def scaled(
    path: Path,
    array: np.ndarray,
    scale: float | Sequence[float],
    offset: float = 0.0,
    nodata: float | None = None,
    transform: Sequence[float] = TRANSFORM,
) -> Raster:
    """A raster with scale and offset in its bands."""
    source = make_raster(path, array, transform, nodata=nodata)
    dataset = gdal.Open(source.path, gdal.GA_Update)
    scales = scale if isinstance(scale, Sequence) else [scale] * dataset.RasterCount
    for number, each in enumerate(scales, 1):
        dataset.GetRasterBand(number).SetScale(each)
        dataset.GetRasterBand(number).SetOffset(offset)
    dataset = None
    return again(source)


def signed(path: Path, array: np.ndarray, transform: Sequence[float] = TRANSFORM) -> Raster:
    """A GeoTIFF of signed bytes with -128 as no data."""
    return make_raster(path, array.astype(np.int8), transform, nodata=-128, options=["PIXELTYPE=SIGNEDBYTE"])


def read(*sources: Raster, window: Window | None = None) -> tuple[list[np.ndarray], np.ndarray]:
    with open_stack(sources) as stack:
        arrays, valid = stack.read(window or stack.grid.window)
        assert [each.dtype.name for each in arrays] == [each.dtype for each in stack.modalities]
        return arrays, valid


@pytest.mark.parametrize("form", ["GTiff", "netCDF"])
def test_signed_bytes_are_signed_inside_at_the_border_and_as_no_data(tmp_path: Path, form: str) -> None:
    values = BYTES.copy()
    values[:, :5, :7] = -128
    source = signed(tmp_path / "signed.tif", values)
    if form == "netCDF":
        path = tmp_path / "signed.nc"
        assert gdal.Translate(str(path), source.path, format="netCDF", bandList=[1]) is not None
        source, values = describe(str(path), "signed"), values[:1]
    (array,), valid = read(source, window=Window(-3, -3, 86, 96))
    assert array.dtype == np.int8
    inside = array[:, 3:-3, 3:-3]
    wanted = values != -128
    assert (valid[3:-3, 3:-3] == wanted.all(axis=0)).all()
    assert (inside == np.where(wanted.all(axis=0), values, 0)).all()
    assert not valid[:3].any() and (array[:, :3] == 0).all()


def test_signed_bytes_are_warped_as_the_same_numbers_in_two_bytes(tmp_path: Path) -> None:
    base = make_raster(tmp_path / "base.tif", np.ones((50, 60), np.uint8))
    one, two = signed(tmp_path / "one.tif", BYTES, FINE), tmp_path / "two.tif"
    other = make_raster(two, BYTES.astype(np.int16), FINE, nodata=-128)
    (_, first), valid = read(base, one)
    (_, second), same = read(base, other)
    assert first.dtype == np.int8 and (valid == same).all() and (first == second).all() and first.min() < -40


@pytest.mark.parametrize("transform", [TRANSFORM, FINE])
@pytest.mark.parametrize("dtype", ["int16", "uint16", "uint8", "int32", "float32"])
def test_scaled_numbers_are_the_values_that_another_file_stores_plainly(
    tmp_path: Path, dtype: str, transform: Sequence[float]
) -> None:
    stored = RANDOM.integers(0, 200, (3, 80, 90)).astype(dtype)
    stored[:, 10:20, 30:50] = 255
    kind = np.float64 if dtype == "int32" else np.float32
    plain = (stored.astype(np.float64) * 0.004 - 0.1).astype(kind)
    plain[stored == 255] = -9
    base = make_raster(tmp_path / "base.tif", np.ones((50, 60), np.uint8))
    one = scaled(tmp_path / "one.tif", stored, 0.004, -0.1, 255, transform)
    two = make_raster(tmp_path / "two.tif", plain, transform, nodata=-9)
    (_, first), valid = read(base, one)
    (_, second), same = read(base, two)
    assert first.dtype == kind and (valid == same).all() and (first == second).all()
    assert 0 < valid.mean() < 1


def test_each_band_has_its_own_storage(tmp_path: Path) -> None:
    stored = RANDOM.integers(0, 100, (3, 20, 30)).astype(np.int16)
    one = scaled(tmp_path / "one.tif", stored, (1.0, 0.5, 2.0))
    (first,), _ = read(one)
    assert first.dtype == np.float32 and (first == stored * np.array([1, 0.5, 2])[:, None, None]).all()
    paths = [signed(tmp_path / "a.tif", BYTES[:1, :20, :30]).path, make_raster(tmp_path / "b.tif", stored[0]).path]
    mixed = gdal.BuildVRT(str(tmp_path / "both.vrt"), paths, separate=True)
    mixed.GetRasterBand(1).SetMetadataItem("PIXELTYPE", "SIGNEDBYTE", "IMAGE_STRUCTURE")
    assert [storage_of(mixed.GetRasterBand(each)).stored.name for each in (1, 2)] == ["int8", "int16"]
    del mixed
    (both,), valid = read(describe(str(tmp_path / "both.vrt"), "both"))
    assert both.dtype == np.int16 and valid.all()
    assert (both == np.stack([BYTES[0, :20, :30], stored[0]])).all()


def test_no_data_of_the_layer_and_of_the_user_count_in_scaled_values(tmp_path: Path) -> None:
    stored = np.arange(400, dtype=np.int16).reshape(20, 20)
    source = scaled(tmp_path / "one.tif", stored, 0.0001, 0.2)
    limited = describe(source.path, "one", ((0.2007, 0.2009),)).with_nodata([0.2123, 0.2399])
    _, valid = read(limited)
    assert set(stored[~valid]) == {7, 8, 9, 123, 399}
    lowest = float(np.finfo(np.float32).min)
    floats = np.array([[1.5, lowest, -9999.9, 3.25]], np.float32)
    source = make_raster(tmp_path / "floats.tif", floats).with_nodata([-3.40282347e38, -9999.9])
    _, valid = read(source)
    assert valid.tolist() == [[True, False, False, True]]


def test_a_scale_of_1_or_of_nonsense_changes_nothing(tmp_path: Path) -> None:
    stored = RANDOM.integers(0, 9, (20, 30)).astype(np.uint8)
    for number, (scale, offset) in enumerate([(1.0, 0.0), (0.0, 0.0), (float("nan"), float("inf"))]):
        (array,), _ = read(scaled(tmp_path / f"{number}.tif", stored, scale, offset))
        assert array.dtype == np.uint8 and (array[0] == stored).all()


@pytest.mark.parametrize("dtype", ["int64", "uint64", "uint32", "int32", "float64"])
@pytest.mark.parametrize("transform", [TRANSFORM, FINE])
def test_wide_types_are_read_and_warped(tmp_path: Path, dtype: str, transform: Sequence[float]) -> None:
    values = (RANDOM.integers(0, 1000, (90, 90)) + 3 * 10**9 * (dtype != "int32")).astype(dtype)
    values[40:50, 40:50] = 7
    base = make_raster(tmp_path / "base.tif", np.ones((50, 60), np.uint8))
    source = make_raster(tmp_path / "wide.tif", values, transform, nodata=7)
    (_, array), valid = read(base, source)
    assert array.dtype == dtype and 0.8 < valid.mean() < 1
    assert values[values != 7].min() <= array[0][valid].min() and array[0][valid].max() <= values.max()


def test_infinities_are_no_data(tmp_path: Path) -> None:
    values = np.array([[1.0, np.inf, -np.inf, np.nan, 2.0]])
    for dtype in (np.float32, np.float64):
        _, valid = read(make_raster(tmp_path / f"{dtype.__name__}.tif", values.astype(dtype)))
        assert valid.tolist() == [[True, False, False, False, True]]


def test_a_change_of_storage_is_another_raster_to_a_run_that_was_cut(tmp_path: Path) -> None:
    source = signed(tmp_path / "one.tif", BYTES)
    before = fingerprint(source)
    assert fingerprint(source) == before
    assert fingerprint(source.with_nodata([5.0])) != before
    dataset = gdal.Open(source.path, gdal.GA_Update)
    dataset.GetRasterBand(1).SetScale(0.5)
    dataset = None
    assert fingerprint(again(source))[4] != before[4]
