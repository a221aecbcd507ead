"""Rasters on a grid of their own, against fields that are known everywhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal, osr

from bdgf.bdgf_qgis.raster.grid import Grid, Window
from bdgf.bdgf_qgis.raster.reading.raster import Raster, describe
from bdgf.bdgf_qgis.raster.reading.stack import open_stack
from bdgf.tests.raster.helpers import TRANSFORM, UTM, again, make_raster, wkt


def centres(grid: Grid | tuple[float, ...], shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Map coordinates (H, W) of pixel centres."""
    transform = grid.transform if isinstance(grid, Grid) else grid
    columns, rows = np.meshgrid(np.arange(shape[1]) + 0.5, np.arange(shape[0]) + 0.5)
    return transform[0] + transform[1] * columns, transform[3] + transform[5] * rows


def plane(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A field that bilinear interpolation gives exactly."""
    return 100 + (x - TRANSFORM[0]) * 0.25 - (y - TRANSFORM[3]) * 0.125


def base(folder: Path, side: int = 300) -> Raster:
    return make_raster(folder / "base.tif", np.ones((side, side), np.uint8))


@pytest.mark.parametrize(("size", "shift"), [(25.0, 3.0), (10.0, 4.0), (7.0, 1.5), (3.0, 0.0)])
def test_another_resolution_and_offset_is_interpolated(tmp_path: Path, size: float, shift: float) -> None:
    transform = (TRANSFORM[0] - 200 + shift, size, 0.0, TRANSFORM[3] + 200 - shift, 0.0, -size)
    count = int(3400 / size)
    field = plane(*centres(transform, (count, count)))
    source = make_raster(tmp_path / "field.tif", field.astype(np.float64), transform)
    with open_stack([base(tmp_path), source]) as stack:
        assert [each.warped for each in stack.modalities] == [False, True]
        arrays, valid = stack.read(stack.grid.window)
        assert valid.all()
        wanted = plane(*centres(stack.grid, valid.shape))
        steepness = 0.375 * size  # a pixel of the raster; GDAL's wider kernel for finer rasters is off by a small part
        assert np.abs(arrays[1][0] - wanted).max() < (1e-6 if size >= 10 else 0.1 * steepness)
        assert abs((arrays[1][0] - wanted).mean()) < 1e-3


def test_another_crs_is_interpolated_where_proj_says(tmp_path: Path) -> None:
    step = 0.0002
    place = (13.52, step, 0.0, 52.345, 0.0, -step)
    lon, lat = centres(place, (200, 350))
    field = np.sin((lon - 13.5) * 90) * 300 + np.cos((lat - 52.3) * 140) * 200
    source = make_raster(tmp_path / "field.tif", field.astype(np.float32), place, 4326)
    with open_stack([base(tmp_path), source]) as stack:
        arrays, valid = stack.read(stack.grid.window)
        assert stack.modalities[1].warped and valid.all()
        x, y = centres(stack.grid, valid.shape)
    first, second = osr.SpatialReference(), osr.SpatialReference()
    first.ImportFromEPSG(UTM)
    second.ImportFromEPSG(4326)
    for each in (first, second):
        each.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    points = np.array(osr.CoordinateTransformation(first, second).TransformPoints(np.stack([x.ravel(), y.ravel()], 1)))
    wanted = np.sin((points[:, 0] - 13.5) * 90) * 300 + np.cos((points[:, 1] - 52.3) * 140) * 200
    assert np.abs(arrays[1][0].ravel() - wanted).max() < 0.15  # a field of +-500, curved: 0.03 % of its range


def test_the_window_asked_for_does_not_matter(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    place = (13.54, 0.0003, 0.0, 52.34, 0.0, -0.00021)
    array = random.normal(size=(2, 180, 220)).astype(np.float32)
    array[:, random.random((180, 220)) < 0.1] = np.nan
    source = make_raster(tmp_path / "rough.tif", array, place, 4326)
    with open_stack([base(tmp_path, 600), source]) as stack, stack.reopen() as again:
        whole, valid = stack.read(stack.grid.window)
        assert 0.1 < valid.mean() < 0.9
        for _ in range(40):
            row, column = random.integers(0, 590, 2)
            height, width = random.integers(1, 600 - row), random.integers(1, 600 - column)
            window = Window(int(row), int(column), int(height), int(width))
            arrays, inside = again.read(window)
            assert (inside == valid[window.slices_in(stack.grid.window)]).all()
            for part, everything in zip(arrays, whole, strict=True):
                assert (part == everything[(slice(None), *window.slices_in(stack.grid.window))]).all()


def test_what_is_no_data_takes_no_part(tmp_path: Path) -> None:
    size = 25.0
    transform = (TRANSFORM[0], size, 0.0, TRANSFORM[3], 0.0, -size)
    field = plane(*centres(transform, (120, 120))).astype(np.float32)
    gaps = np.random.default_rng(3).random((120, 120)) < 0.05
    field[gaps] = -9999
    source = make_raster(tmp_path / "gaps.tif", np.stack([field, np.ones_like(field)]), transform, nodata=-9999)
    with open_stack([base(tmp_path), source]) as stack:
        arrays, valid = stack.read(stack.grid.window)
    wanted = plane(*centres(TRANSFORM, (300, 300)))
    values = arrays[1][0]
    assert np.abs(values[valid] - wanted[valid]).max() < 5, "at most half a pixel of slope away"
    assert np.abs(arrays[1][1][valid] - 1).max() < 1e-6
    columns = np.floor((np.arange(300) + 0.5) * 10 / size).astype(int)
    inside_gap = gaps[np.ix_(columns, columns)]
    assert (valid[inside_gap].mean() < 0.15) and valid[~inside_gap].mean() > 0.95, "validity follows the nearest pixel"


def test_a_finer_raster_is_averaged_over_the_pixel(tmp_path: Path) -> None:
    chequers = (np.indices((400, 400)).sum(axis=0) % 2 * 200).astype(np.uint8)
    source = make_raster(tmp_path / "fine.tif", chequers, (TRANSFORM[0], 1.0, 0.0, TRANSFORM[3], 0.0, -1.0))
    with open_stack([base(tmp_path, 40), source]) as stack:
        arrays, valid = stack.read(stack.grid.window)
    assert valid.all() and arrays[1].dtype == np.uint8
    assert np.abs(arrays[1].astype(int)[0, 2:-2, 2:-2] - 100).max() <= 3


def test_integers_are_rounded(tmp_path: Path) -> None:
    transform = (TRANSFORM[0], 20.0, 0.0, TRANSFORM[3], 0.0, -20.0)
    field = plane(*centres(transform, (150, 150)))
    source = make_raster(tmp_path / "a.tif", np.round(field).astype(np.int16), transform, nodata=-32768)
    with open_stack([base(tmp_path), source]) as stack:
        arrays, valid = stack.read(Window(5, 5, 290, 290))
    wanted = plane(*centres(TRANSFORM, (300, 300)))[5:295, 5:295]
    assert valid.all() and arrays[1].dtype == np.int16
    assert np.abs(arrays[1][0] - wanted).max() <= 1


def test_paletted_rasters_are_never_interpolated(tmp_path: Path) -> None:
    transform = (TRANSFORM[0] + 4, 24.0, 0.0, TRANSFORM[3] - 4, 0.0, -24.0)
    codes = np.random.default_rng(4).choice(np.array([1, 50, 200], np.uint8), (120, 120))
    source = make_raster(tmp_path / "classes.tif", codes, transform)
    dataset = gdal.Open(source.path, gdal.GA_Update)
    table = gdal.ColorTable()
    table.SetColorEntry(1, (255, 0, 0))
    dataset.GetRasterBand(1).SetColorTable(table)
    dataset = None
    with open_stack([base(tmp_path), again(source)]) as stack:
        arrays, valid = stack.read(stack.grid.window)
        assert stack.modalities[1].paletted
    assert set(np.unique(arrays[1][0][valid])) == {1, 50, 200}
    place = np.floor(((np.arange(300) + 0.5) * 10 - 4) / 24).astype(int)
    inside = (place >= 0) & (place < 120)
    assert (arrays[1][0][np.ix_(inside, inside)] == codes[np.ix_(place[inside], place[inside])]).all()


def test_only_the_overlap_is_read(tmp_path: Path) -> None:
    transform = (TRANSFORM[0] + 503, 7.0, 0.0, TRANSFORM[3] - 1003, 0.0, -7.0)
    source = make_raster(tmp_path / "part.tif", np.ones((100, 100), np.float32), transform)
    with open_stack([base(tmp_path), source]) as stack:
        _, valid = stack.read(stack.grid.window)
        x, y = centres(TRANSFORM, (300, 300))
        inside = (x > transform[0]) & (x < transform[0] + 700) & (y < transform[3]) & (y > transform[3] - 700)
        assert (valid == inside).all()
        rows, columns = np.nonzero(inside)
        assert stack.overlap == Window(rows[0], columns[0], np.ptp(rows) + 1, np.ptp(columns) + 1)


def test_a_crs_by_another_name_is_the_same_grid(tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(0, 255, (50, 50)).astype(np.uint8)
    unnamed = make_raster(tmp_path / "unnamed.tif", array, epsg=None)
    reference = osr.SpatialReference()
    reference.ImportFromProj4("+proj=utm +zone=33 +datum=WGS84 +units=m +no_defs")
    dataset = gdal.Open(unnamed.path, gdal.GA_Update)
    dataset.SetProjection(reference.ExportToWkt())
    dataset = None
    with open_stack([base(tmp_path, 50), again(unnamed)]) as stack:
        assert not stack.modalities[1].warped
        assert (stack.read(stack.grid.window)[0][1][0] == array).all()
    assert wkt(UTM) != reference.ExportToWkt()


def test_a_far_finer_raster_is_read_in_pieces(tmp_path: Path) -> None:
    """One piece of 256 x 256 pixels would need 330 MB of this raster at once."""
    path = tmp_path / "fine.tif"
    dataset = gdal.GetDriverByName("GTiff").Create(str(path), 12000, 9000, 1, gdal.GDT_Float32, ["SPARSE_OK=TRUE"])
    dataset.SetGeoTransform((TRANSFORM[0], 0.25, 0.0, TRANSFORM[3], 0.0, -0.25))
    dataset.SetProjection(wkt(UTM))
    dataset.GetRasterBand(1).WriteArray(np.full((10, 12000), 8, np.float32), 0, 4000)
    dataset = None
    with open_stack([base(tmp_path), describe(str(path), "fine")]) as stack:
        arrays, valid = stack.read(stack.grid.window)
    assert valid[:225].all() and not valid[226:].any()
    values = arrays[1][0]
    assert values[:98].max() == 0 and values[102:].max() == 0
    assert abs(values[98:102].sum(axis=0).mean() * 10 - 8 * 2.5) < 0.3, "the strip's sum is kept"


@pytest.mark.parametrize("finer", [2, 3])
def test_a_finer_raster_has_one_kernel_up_to_its_edge(tmp_path: Path, finer: int) -> None:
    """The last piece of the warp, which both grids cut off, averages as widely as all others."""
    west, wide, _, north, _, high = TRANSFORM
    fine = (west, wide / finer, 0.0, north, 0.0, high / finer)
    noise = np.random.default_rng(0).normal(100, 30, (600 * finer, 300 * finer)).astype(np.float32)
    whole, cut = (
        make_raster(tmp_path / f"{name}.tif", noise[: rows * finer], fine)
        for name, rows in (("whole", 600), ("cut", 300))
    )
    grids = [make_raster(tmp_path / f"grid{rows}.tif", np.ones((rows, 300), np.uint8)) for rows in (600, 300)]
    window = Window(256, 0, 40, 300)
    with open_stack([whole], grids[0]) as large, open_stack([cut], grids[1]) as small:
        wanted, found = (stack.read(window)[0][0][0] for stack in (large, small))
    assert np.abs(wanted - found).max() < 1e-3
    blocks = noise[256 * finer : 296 * finer].reshape(40, finer, 300, finer).mean(axis=(1, 3))
    assert np.corrcoef(found.ravel(), blocks.ravel())[0, 1] > 0.8
