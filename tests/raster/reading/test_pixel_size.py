"""Pixel sizes on the ground."""

from __future__ import annotations

import pytest

from bdgf.bdgf_qgis.raster.grid import Grid
from bdgf.bdgf_qgis.raster.reading.pixel_size import UNKNOWN, comparable, pixel_metres, side, size_text
from bdgf.model.shared.infos import SceneInfo
from bdgf.tests.raster.helpers import wkt


def grid(epsg: int | None, west: float, north: float, size: float) -> Grid:
    return Grid(100, 100, (west, size, 0.0, north, 0.0, -size), wkt(epsg))


def scene(epsg: int | None, west: float, north: float, size: float) -> SceneInfo:
    own = grid(epsg, west, north, size)
    return SceneInfo(own.wkt, own.pixel_size, (100, 100), "a", pixel_metres(own))


@pytest.mark.parametrize(
    ("epsg", "west", "north", "size", "wanted"),
    [
        (32633, 400_000, 5_800_000, 10, (10, 10)),
        (4326, 13.5, 60.005, 1e-4, (5.58, 11.14)),  # half as wide as high at 60 degrees
        (4326, 500, 0.005, 1e-4, (11.13, 11.06)),  # longitudes may turn
        (2264, 2_000_000, 700_000, 10, (3.048, 3.048)),  # US feet
        (3857, 1_000_000, 8_399_738, 10, (5.0, 5.0)),  # Web Mercator at 60 degrees
        (3413, 0, -2_000_000, 25, (25.3, 25.3)),
    ],
)
def test_metres_on_the_ground(epsg: int, west: float, north: float, size: float, wanted: tuple[float, float]):
    assert pixel_metres(grid(epsg, west, north, size)) == pytest.approx(wanted, rel=0.01)


def test_without_a_system_or_off_the_earth_it_is_unknown():
    assert pixel_metres(grid(None, 0, 0, 2)) == UNKNOWN
    local = 'LOCAL_CS["site",UNIT["metre",1]]'
    assert pixel_metres(Grid(10, 10, (0, 1, 0, 0, 0, -1), local)) == UNKNOWN
    assert pixel_metres(grid(32633, 1e300, 1e300, 1)) == UNKNOWN


def test_sizes_are_compared_and_told():
    metres, degrees, none = scene(32633, 4e5, 5.8e6, 10), scene(4326, 13.5, 52.3, 1e-4), scene(None, 0, 0, 2)
    assert comparable(metres, degrees) and side(metres) == pytest.approx(10, rel=0.01)
    assert side(degrees) == pytest.approx(8.7, rel=0.01)
    assert not comparable(metres, none) and comparable(none, none) and side(none) == 2
    assert [size_text(each) for each in (metres, none)] == ["10 x 10 m", "2 x 2"]
    assert size_text(degrees) == "0.0001 x 0.0001 units (6.82 x 11.1 m)"
