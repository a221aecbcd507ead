"""Outlines of regions: every pixel of the region lies inside, and none of the others."""

from __future__ import annotations

import numpy as np
import pytest
from osgeo import gdal, ogr
from scipy.ndimage import gaussian_filter, label

from bdgf.bdgf_qgis.raster.outline import outline_of

TRANSFORM = (1000.0, 3.0, 0.0, 500.0, 0.0, -2.0)


def inside(outline: bytes, shape: tuple[int, int]) -> np.ndarray:
    """Pixels whose centre lies in a polygon."""
    store = ogr.GetDriverByName("Memory").CreateDataSource("")
    layer = store.CreateLayer("", None, ogr.wkbPolygon)
    feature = ogr.Feature(layer.GetLayerDefn())
    feature.SetGeometry(ogr.CreateGeometryFromWkb(outline))
    layer.CreateFeature(feature)
    image = gdal.GetDriverByName("MEM").Create("", shape[1], shape[0], 1)
    image.SetGeoTransform(TRANSFORM)
    gdal.RasterizeLayer(image, [1], layer, burn_values=[1])
    found: np.ndarray = image.ReadAsArray() == 1
    return found


@pytest.mark.parametrize("number", range(6))
def test_the_region_and_nothing_else(number: int) -> None:
    smooth = gaussian_filter(np.random.default_rng(number).normal(size=(70, 90)), 1 + number)
    numbers, _ = label(smooth > 0)
    place = np.unravel_index(int(smooth.argmax()), smooth.shape)
    region = numbers == numbers[place]
    outline = outline_of(smooth > 0, TRANSFORM, (int(place[0]), int(place[1])))
    polygon = ogr.CreateGeometryFromWkb(outline)
    assert polygon.IsValid() and polygon.GetGeometryName() == "POLYGON"
    holes, _ = label(~region, np.ones((3, 3)))
    sizes = np.bincount(holes.ravel())
    small = np.isin(holes, np.flatnonzero(sizes < 4)) & ~region
    wrong = inside(outline, region.shape) ^ (region | small)
    assert wrong.sum() <= 0.02 * region.sum() and wrong[place] == 0


def test_one_pixel_a_hole_and_a_speck() -> None:
    one = np.zeros((9, 9), bool)
    one[4, 5] = True
    polygon = ogr.CreateGeometryFromWkb(outline_of(one, TRANSFORM, (4, 5)))
    assert polygon.GetEnvelope() == (1015, 1018, 490, 492)
    ring = np.ones((20, 20), bool)
    ring[5:9, 5:9] = False
    ring[15, 15] = False
    polygon = ogr.CreateGeometryFromWkb(outline_of(ring, TRANSFORM, (0, 0)))
    assert polygon.GetGeometryCount() == 2, "the hole stays, the speck is closed"
    assert polygon.GetArea() == pytest.approx((400 - 16) * 6, rel=0.02)
