"""Geometry as it comes: broken, curved, empty, in another CRS."""

from __future__ import annotations

import numpy as np
import pytest
from osgeo import ogr, osr

from bdgf.bdgf_qgis.raster.grid import Grid
from bdgf.bdgf_qgis.raster.samples.shapes import Polygon, shapes_of
from bdgf.tests.raster.helpers import TRANSFORM, UTM, mask_of, ring_wkb, wkt

PLAIN = Grid(20, 20, (0.0, 1.0, 0.0, 0.0, 0.0, -1.0), "")


def wkb(text: str) -> bytes:
    return bytes(ogr.CreateGeometryFromWkt(text).ExportToWkb())


def test_a_bow_tie_is_repaired() -> None:
    tie = Polygon(7, ring_wkb([(2, -2), (12, -12), (12, -2), (2, -12)]), 1)
    found = shapes_of([tie], "", PLAIN)
    assert found.repaired == (7,) and not found.skipped
    mask = mask_of(found.shapes, PLAIN.window)
    x, y = np.meshgrid(np.arange(20) + 0.5, np.arange(20) + 0.5)
    both = (x > 2) & (x < 12) & (np.abs(y - 7) < np.abs(x - 7))
    off_the_edges = np.abs(y - 7) != np.abs(x - 7)
    assert (mask == both)[off_the_edges].all()


@pytest.mark.parametrize(
    ("geometry", "reason"),
    [
        (b"", "no geometry"),
        (b"rubbish", "no geometry"),
        (wkb("POLYGON EMPTY"), "no geometry"),
        (wkb("POINT(1 1)"), "not a polygon"),
        (wkb("LINESTRING(1 1,5 5)"), "not a polygon"),
        (wkb("POLYGON((1 -1,5 -5,9 -9,1 -1))"), "broken"),
    ],
)
def test_what_cannot_be_used_is_listed_by_id(geometry: bytes, reason: str, capfd: pytest.CaptureFixture) -> None:
    good = Polygon(2, ring_wkb([(1, -1), (4, -1), (4, -4), (1, -4)]), 1)
    found = shapes_of([Polygon(1, geometry, 1), good], "", PLAIN)
    assert found.places == (1,) and len(found.shapes) == 1
    assert [fid for fid, _ in found.skipped] == [1] and reason in found.skipped[0][1]
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "text",
    [
        "MULTIPOLYGON(((1 -1,4 -1,4 -4,1 -4,1 -1)),((6 -6,9 -6,9 -9,6 -9,6 -6)))",
        "MULTIPOLYGON Z(((1 -1 5,4 -1 5,4 -4 5,1 -4 5,1 -1 5)),((6 -6 0,9 -6 0,9 -9 0,6 -9 0,6 -6 0)))",
        "GEOMETRYCOLLECTION(POLYGON((1 -1,4 -1,4 -4,1 -4,1 -1)),POLYGON((6 -6,9 -6,9 -9,6 -9,6 -6)),POINT(0 0))",
        "MULTISURFACE(CURVEPOLYGON((1 -1,4 -1,4 -4,1 -4,1 -1)),((6 -6,9 -6,9 -9,6 -9,6 -6)))",
    ],
)
def test_polygons_of_every_kind(text: str) -> None:
    found = shapes_of([Polygon(1, wkb(text), 1)], "", PLAIN)
    wanted = np.zeros((20, 20), bool)
    wanted[1:4, 1:4] = wanted[6:9, 6:9] = True
    assert (mask_of(found.shapes, PLAIN.window) == wanted).all()


def test_curves_are_followed() -> None:
    circle = wkb("CURVEPOLYGON(CIRCULARSTRING(2 -10,10 -2,18 -10,10 -18,2 -10))")
    found = shapes_of([Polygon(1, circle, 1)], "", PLAIN)
    x, y = np.meshgrid(np.arange(20) - 9.5, np.arange(20) - 9.5)
    assert (mask_of(found.shapes, PLAIN.window) == (np.hypot(x, y) < 8)).all()


def test_polygons_come_from_another_crs() -> None:
    grid = Grid(60, 60, TRANSFORM, wkt(UTM))
    ring = [(TRANSFORM[0] + x, TRANSFORM[3] - y) for x, y in ((52, 52), (481, 63), (433, 544), (77, 391))]
    first, second = osr.SpatialReference(), osr.SpatialReference()
    first.ImportFromEPSG(UTM)
    second.ImportFromEPSG(4326)
    second.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    there = osr.CoordinateTransformation(first, second)
    geographic = [there.TransformPoint(*point)[:2] for point in ring]
    masks = [
        mask_of(shapes_of([Polygon(1, ring_wkb(points), 1)], text, grid).shapes, grid.window)
        for points, text in ((ring, wkt(UTM)), (geographic, second.ExportToWkt()))
    ]
    assert masks[0].sum() > 1000 and (masks[0] == masks[1]).all()


def test_polygons_that_the_crs_cannot_hold_are_listed() -> None:
    grid = Grid(60, 60, TRANSFORM, wkt(3857))
    pole = Polygon(3, ring_wkb([(0, 89), (10, 89), (5, 95)]), 1)
    found = shapes_of([pole], wkt(4326), grid)
    assert not found.shapes and found.skipped[0][0] == 3
