"""Longitudes from 0 to 360 and places across the date line: what gdalwarp covers is covered, with the right values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal, osr

from bdgf.bdgf_qgis.raster.grid import Grid
from bdgf.bdgf_qgis.raster.reading.raster import Raster
from bdgf.bdgf_qgis.raster.reading.stack import open_stack
from bdgf.bdgf_qgis.raster.samples.shapes import Polygon, shapes_of
from bdgf.tests.raster.helpers import make_raster, ring_wkb, wkt

# EPSG, west, north, pixel size, columns, rows
PLACES = {
    "from -180": (4326, -180.0, 80.0, 1.0, 360, 160),
    "from 0": (4326, 0.0, 80.0, 1.0, 360, 160),
    "from half a pixel before 0": (4326, -0.5, 60.0, 1.0, 360, 120),
    "across 180": (4326, 170.0, 10.0, 0.5, 40, 40),
    "across 0": (4326, -10.0, 10.0, 0.4, 50, 50),
    "beyond -180": (4326, -190.0, 10.0, 0.5, 30, 40),
    "UTM 60": (32660, 400_000.0, 600_000.0, 10_000.0, 60, 60),
    "UTM 1": (32601, 100_000.0, 600_000.0, 10_000.0, 40, 60),
    "polar": (3413, -3_000_000.0, 3_000_000.0, 100_000.0, 60, 60),
}


def field(epsg: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A field that is smooth on the sphere."""
    first, second = osr.SpatialReference(), osr.SpatialReference()
    first.ImportFromEPSG(epsg)
    second.ImportFromEPSG(4326)
    for each in (first, second):
        each.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    points = osr.CoordinateTransformation(first, second).TransformPoints(np.stack([x.ravel(), y.ravel()], 1))
    lon, lat = np.radians(np.array(points)[:, :2]).T
    values = 1000 + 500 * np.sin(lat) + np.cos(lat) * (300 * np.sin(lon) + 200 * np.cos(lon))
    return values.reshape(x.shape).astype(np.float32)


def raster(folder: Path, place: str) -> Raster:
    epsg, west, north, size, columns, rows = PLACES[place]
    x, y = np.meshgrid(west + size * (np.arange(columns) + 0.5), north - size * (np.arange(rows) + 0.5))
    return make_raster(folder / f"{place}.tif", field(epsg, x, y), (west, size, 0, north, 0, -size), epsg)


def gdalwarp(grid: Raster, source: Raster) -> np.ndarray:
    """The pixels of a raster's grid that gdalwarp covers with another."""
    target = gdal.Open(grid.path)
    west, wide, _, north, _, high = target.GetGeoTransform()
    size = target.RasterXSize, target.RasterYSize
    bounds = (west, north + size[1] * high, west + size[0] * wide, north)
    made = gdal.Warp(
        "", source.path, format="MEM", outputBounds=bounds, width=size[0], height=size[1],
        dstSRS=target.GetProjection(), resampleAlg="bilinear", dstAlpha=True,
    )  # fmt: skip
    covered: np.ndarray = made.GetRasterBand(made.RasterCount).ReadAsArray() >= 128
    return covered


@pytest.mark.parametrize(
    ("grid", "source"),
    [
        ("from -180", "from 0"),
        ("from 0", "from -180"),
        ("from -180", "from half a pixel before 0"),
        ("from -180", "across 180"),
        ("across 180", "from -180"),
        ("from 0", "across 0"),
        ("across 0", "from 0"),
        ("beyond -180", "across 180"),
        ("UTM 60", "from -180"),
        ("UTM 60", "from 0"),
        ("UTM 60", "UTM 1"),
        ("from 0", "UTM 60"),
        ("from -180", "UTM 60"),
        ("across 180", "UTM 1"),
        ("polar", "from 0"),
        ("from 0", "polar"),
    ],
)
def test_what_gdalwarp_covers_is_covered(grid: str, source: str, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    ruling, other = raster(tmp_path, grid), raster(tmp_path, source)
    capfd.readouterr()
    with open_stack([ruling, other]) as stack:
        (wanted, arrays), valid = stack.read(stack.grid.window)
    assert capfd.readouterr().err == "", "GDAL says nothing past us"
    covered = gdalwarp(ruling, other)
    assert covered.any() and (valid | ~covered).all()
    assert np.abs(arrays[0] - wanted[0])[valid].max() < 12  # pixels of up to 1 degree, a field of +-600


@pytest.mark.parametrize("aligned", [True, False])
def test_pixels_shared_across_the_turn_are_read_as_they_are(tmp_path: Path, aligned: bool) -> None:
    ruling = raster(tmp_path, "from -180")
    west = 0.0 if aligned else 0.3
    values = np.random.default_rng(1).normal(size=(160, 360)).astype(np.float32)
    source = make_raster(tmp_path / "noise.tif", values, (west, 1.0, 0, 80.0, 0, -1.0), 4326)
    with open_stack([ruling, source]) as stack:
        assert stack.modalities[1].warped != aligned
        arrays, valid = stack.read(stack.grid.window)
    assert valid.all()
    if aligned:
        assert (arrays[1][0] == np.roll(values, 180, axis=1)).all()


def grid_of_world(west: float) -> Grid:
    return Grid(360, 160, (west, 1.0, 0.0, 80.0, 0.0, -1.0), wkt(4326))


def bounds(polygon: bytes, epsg: int, grid: Grid) -> list[tuple[float, float]]:
    """First and last column of each part of a polygon on a grid."""
    (shape,) = shapes_of([Polygon(1, polygon)], wkt(epsg), grid).shapes
    parts = [shape.geometry.GetGeometryRef(each).GetEnvelope() for each in range(shape.geometry.GetGeometryCount())]
    return sorted((round(left, 3), round(right, 3)) for left, right, *_ in parts)


def test_polygons_lie_where_the_grid_counts_longitudes() -> None:
    square = ring_wkb([(-20.0, 0.0), (-15.0, 0.0), (-15.0, 5.0), (-20.0, 5.0)])
    assert bounds(square, 4326, grid_of_world(-180.0)) == [(160, 165)]
    assert bounds(square, 4326, grid_of_world(0.0)) == [(340, 345)]
    east = ring_wkb([(340.0, 0.0), (345.0, 0.0), (345.0, 5.0), (340.0, 5.0)])
    assert bounds(east, 4326, grid_of_world(-180.0)) == [(160, 165)]
    edge = ring_wkb([(-5.0, 0.0), (5.0, 0.0), (5.0, 5.0), (-5.0, 5.0)])
    assert bounds(edge, 4326, grid_of_world(0.0)) == [(-5, 5), (355, 365)], "both ends of the world"


def test_a_projected_polygon_goes_on_across_the_date_line() -> None:
    around_180 = ring_wkb([(700_000.0, 0.0), (900_000.0, 0.0), (900_000.0, 200_000.0), (700_000.0, 200_000.0)])
    ((left, right),) = bounds(around_180, 32660, Grid(40, 40, (170.0, 0.5, 0.0, 10.0, 0.0, -0.5), wkt(4326)))
    assert 17 < left < 18 and 21 < right < 22
    west, east = bounds(around_180, 32660, grid_of_world(-180.0))
    assert -2 < west[0] < 0 < west[1] < 1 and 358 < east[0] < 360 < east[1] < 361


def test_a_polygon_around_the_world_stays_one() -> None:
    most = 20_037_508.0
    world = ring_wkb([(-most, 0.0), (most, 0.0), (most, 1e6), (-most, 1e6)])
    assert bounds(world, 3857, grid_of_world(-180.0)) == [(0, 360)]
