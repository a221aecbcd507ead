"""Which rasters are accepted, and how their bands are called."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal

from bdgf.bdgf_qgis.raster.errors import RasterError
from bdgf.bdgf_qgis.raster.reading.raster import describe
from bdgf.tests.raster.helpers import TRANSFORM, again, make_raster

PLAIN = np.arange(12, dtype=np.uint8).reshape(3, 4)


@pytest.mark.parametrize("exceptions", [False, True])
def test_what_gdal_cannot_read_is_refused_by_name(
    tmp_path: Path, exceptions: bool, capfd: pytest.CaptureFixture
) -> None:
    before = gdal.GetUseExceptions()
    (gdal.UseExceptions if exceptions else gdal.DontUseExceptions)()
    try:
        for path in ("crs=EPSG:3857&url=https://example.org/wms", str(tmp_path / "missing.tif")):
            with pytest.raises(RasterError, match="'Web map'"):
                describe(path, "Web map")
        assert bool(gdal.GetUseExceptions()) == exceptions, "GDAL's exception mode is not ours to change"
    finally:
        (gdal.UseExceptions if before else gdal.DontUseExceptions)()
    assert capfd.readouterr().err == ""


def test_rotated_grids_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(RasterError, match=r"'turned' is rotated"):
        make_raster(tmp_path / "turned.tif", PLAIN, (0.0, 1.0, 0.3, 0.0, 0.3, -1.0))


def test_a_rotation_far_below_a_pixel_is_none(tmp_path: Path) -> None:
    source = make_raster(tmp_path / "straight.tif", PLAIN, (0.0, 1.0, 1e-9, 0.0, 1e-9, -1.0))
    assert source.grid.transform == (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)


def test_grids_known_by_control_points_only_are_refused(tmp_path: Path) -> None:
    source = make_raster(tmp_path / "photo.tif", PLAIN, None, None)
    dataset = gdal.Open(source.path, gdal.GA_Update)
    dataset.SetGCPs([gdal.GCP(x, y, 0, x, y) for x, y in ((0, 0), (3, 0), (3, 2), (0, 2))], "")
    dataset = None
    with pytest.raises(RasterError, match=r"'photo'.*control points"):
        again(source)


def test_complex_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RasterError, match="'radar' holds complex"):
        make_raster(tmp_path / "radar.tif", PLAIN.astype(np.complex64))


def test_a_raster_without_a_place_lies_where_qgis_draws_it(tmp_path: Path) -> None:
    grid = make_raster(tmp_path / "scan.tif", PLAIN, None, None).grid
    assert grid.extent == (0.0, -3.0, 4.0, 0.0) and grid.wkt == ""


def test_a_south_up_raster_has_a_north_up_grid(tmp_path: Path) -> None:
    grid = make_raster(tmp_path / "up.tif", PLAIN, (10.0, 2.0, 0.0, 30.0, 0.0, 5.0)).grid
    assert grid.transform == (10.0, 2.0, 0.0, 45.0, 0.0, -5.0)


def test_bands_are_named_by_description_and_alpha_is_none(tmp_path: Path) -> None:
    path = tmp_path / "rgba.tif"
    dataset = gdal.GetDriverByName("GTiff").Create(str(path), 4, 3, 4, gdal.GDT_Byte, ["PHOTOMETRIC=RGB", "ALPHA=YES"])
    dataset.SetGeoTransform(TRANSFORM)
    dataset.GetRasterBand(2).SetDescription("green ")
    dataset = None
    raster = describe(str(path), "rgba")
    assert [band.number for band in raster.data] == [1, 2, 3] and raster.band_names == ("Band 1", "green", "Band 3")


def test_names_of_bands_are_plain(tmp_path: Path) -> None:
    """A description that is not UTF-8 comes as lone surrogates, which abort or hang Qt."""
    source = make_raster(tmp_path / "odd.tif", PLAIN)
    dataset = gdal.Open(source.path, gdal.GA_Update)
    dataset.GetRasterBand(1).SetDescription("near infra red")
    dataset = None
    path = Path(source.path)
    path.write_bytes(path.read_bytes().replace(b"near infra", b"near\t\xff\xfefra"))
    assert again(source).band_names == ("near \ufffd\ufffdfra red",)


def test_bands_are_found_by_name_in_the_order_asked(tmp_path: Path) -> None:
    array = np.ones((5, 3, 4), np.uint8)
    bare = make_raster(tmp_path / "five.tif", array, names=("red", "nir", "", "red", "swir"))
    third = replace(bare.bands[2], alpha=True)
    raster = replace(bare, bands=(*bare.bands[:2], third, *bare.bands[3:]))
    assert raster.find_bands(["swir", "red", "red"]) == (5, 1, 4)
    assert raster.find_bands(["red", "red", "red"]) is None
    assert raster.find_bands(["blue"]) is None
