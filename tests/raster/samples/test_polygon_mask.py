"""Masks of polygons."""

from __future__ import annotations

import numpy as np
import pytest

from bdgf.bdgf_qgis.raster.errors import RasterError
from bdgf.bdgf_qgis.raster.grid import Grid, Window
from bdgf.bdgf_qgis.raster.samples.polygon_mask import PolygonMask
from bdgf.bdgf_qgis.raster.samples.shapes import Polygon
from bdgf.tests.raster.helpers import TRANSFORM, UTM, box, wkt

GRID = Grid(60, 50, TRANSFORM, wkt(UTM))


def test_pixels_inside_any_polygon() -> None:
    mask = PolygonMask([box(1, None, 5, 5, 10, 10), box(2, None, 12, 8, 20, 3), Polygon(3, b"")], wkt(UTM), GRID)
    wanted = np.zeros((50, 60), bool)
    wanted[5:15, 5:15] = wanted[8:11, 12:32] = True
    assert (mask.read(GRID.window) == wanted).all()
    assert (mask.read(Window(7, 11, 9, 30)) == wanted[7:16, 11:41]).all()
    assert mask.window.union(Window(5, 5, 10, 27)) == mask.window and len(mask.notes) == 1


def test_a_mask_off_the_rasters_is_refused() -> None:
    with pytest.raises(RasterError, match="mask"):
        PolygonMask([box(1, None, 500, 5, 10, 10)], wkt(UTM), GRID)
